/** Begins the console. */
import { render } from "preact";
import { begin } from "./session";
import { Console } from "./shell/console";
import { beginScreen } from "./shell/screen";
import "./style/index.css";

const root = document.getElementById("console");
beginScreen();
void begin();
if (root) render(<Console />, root);
