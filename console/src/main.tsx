/** Begins the console. */
import { render } from "preact";
import { Console } from "./shell/console";
import "./style/index.css";

const root = document.getElementById("console");
if (root) render(<Console />, root);
