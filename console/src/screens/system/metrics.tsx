/** What `/metrics` says to Prometheus, read when somebody asks: it is counted for each reading. */
import { useSignal } from "@preact/signals";
import { getText } from "../../api/client";
import { bytes, count } from "../../logic/lengths";
import { Section } from "../../parts/page";
import { API } from "../../place";
import { tellProblem } from "../../shell/toasts";

const MOST = 65_536;

/** Returns the first lines of a text: no more characters than are shown. */
function firstOf(text: string): string {
	return text.length > MOST ? text.slice(0, text.lastIndexOf("\n", MOST) + 1) : text;
}

/** The button, and then the text. */
export function Metrics() {
	const text = useSignal("");
	const busy = useSignal(false);
	const place = new URL("../../metrics", API);
	const read = async () => {
		if (busy.value) return;
		busy.value = true;
		try {
			text.value = await getText(place.href);
		} catch (problem) {
			tellProblem(problem);
		}
		busy.value = false;
	};
	const lines = text.value.split("\n").filter((line) => line && !line.startsWith("#"));
	const shown = firstOf(text.value);
	return (
		<Section title="Metrics">
			<div class="pad" aria-busy={busy.value}>
				<p class="quiet">
					{text.value
						? `${count(lines.length)} series, ${bytes(text.value.length)}, as Prometheus reads them.`
						: "What Prometheus is told. Each reading asks the store."}
				</p>
				{text.value && (
					<pre class="metrics" role="region" aria-label="Text of /metrics" tabIndex={0}>
						{shown}
					</pre>
				)}
				{shown.length < text.value.length && (
					<p class="quiet">
						The first {bytes(shown.length)} of {bytes(text.value.length)}: "open" has the whole
						text.
					</p>
				)}
				<button type="button" onClick={() => void read()}>
					{busy.value ? "Reading…" : text.value ? "Read again" : "Read /metrics"}
				</button>{" "}
				<a href={place.href} target="_blank" rel="noreferrer">
					open
				</a>
			</div>
		</Section>
	);
}
