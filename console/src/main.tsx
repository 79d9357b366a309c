/** Begins the console. */
import { render } from "preact";
import { begin } from "./session";
import { Console } from "./shell/console";
import { beginScreen } from "./shell/screen";
import "./style/index.css";

const AT_ONCE = 60; // milliseconds for which the first picture waits for what it shows

const root = document.getElementById("console");
// Whatever comes of it: the picture says what could not be read.
const known = Promise.all([beginScreen(), begin()]).catch(() => undefined);
const late = new Promise((go) => window.setTimeout(go, AT_ONCE));
// A picture without rows, a moment before the one with rows, would only put off the second.
void Promise.race([known, late]).then(() => root && render(<Console />, root));
