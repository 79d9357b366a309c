/** What `/metrics` says to Prometheus, read when somebody asks: it is counted for each reading. */
import { useSignal } from "@preact/signals";
import { getText } from "../../api/client";
import { bytes, count } from "../../logic/lengths";
import { Section } from "../../parts/page";
import { API } from "../../place";
import { tellProblem } from "../../shell/toasts";

const MOST = 65_536;

/** The button, and then the text. */
export function Metrics() {
	const text = useSignal("");
	const place = new URL("../../metrics", API);
	const read = async () => {
		try {
			text.value = await getText(place.href);
		} catch (problem) {
			tellProblem(problem);
		}
	};
	const lines = text.value.split("\n").filter((line) => line && !line.startsWith("#"));
	return (
		<Section title="Metrics">
			<div class="pad">
				<p class="quiet">
					{text.value
						? `${count(lines.length)} series, ${bytes(text.value.length)}, as Prometheus reads them.`
						: "What Prometheus is told. Each reading asks the store."}
				</p>
				{text.value && (
					<pre class="code metrics" tabIndex={0}>
						{text.value.slice(0, MOST)}
					</pre>
				)}
				<button type="button" onClick={() => void read()}>
					{text.value ? "Read again" : "Read /metrics"}
				</button>{" "}
				<a href={place.href} target="_blank" rel="noreferrer">
					open
				</a>
			</div>
		</Section>
	);
}
