/** Begins the console. */
import { render } from "preact";
import { Console } from "./shell/console";
import { beginScreen } from "./shell/screen";
import "./style/index.css";

const root = document.getElementById("console");
beginScreen();
if (root) render(<Console />, root);
