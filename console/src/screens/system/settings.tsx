/** The settings of the app: what was set, by whom, and what is as it comes. */
import type { Setting } from "../../api/types";
import { bytes, length } from "../../logic/lengths";
import { Table } from "../../parts/table";

const HEADS = ["Setting", "Value", "From"];

/** The table: first what somebody has set. */
export function SettingList({ settings }: { settings: readonly Setting[] }) {
	const isSet = (one: Setting) => one.origin !== "default";
	const sorted = [...settings.filter(isSet), ...settings.filter((one) => !isSet(one))];
	return (
		<Table heads={HEADS} isCard={false}>
			{sorted.map((one) => (
				<tr key={one.name} class="tall">
					<th scope="row">
						<code class={isSet(one) ? "strong" : ""}>{one.name}</code>
						<span class="quiet second-line wraps">{one.help}</span>
					</th>
					<td class="setting-value">
						<Value setting={one} />
					</td>
					<td>
						<From setting={one} />
					</td>
				</tr>
			))}
		</Table>
	);
}

function Value({ setting: { value, help } }: { setting: Setting }) {
	if (value === null || value === undefined || (Array.isArray(value) && !value.length))
		return <span class="quiet">–</span>;
	if (typeof value === "number" && help.startsWith("Seconds"))
		return <span title={`${value} seconds`}>{length(value)}</span>;
	if (typeof value === "number" && help.endsWith("in bytes."))
		return <span title={`${value} bytes`}>{bytes(value)}</span>;
	const text = Array.isArray(value) ? value.join(", ") : String(value);
	return <code>{text}</code>;
}

function From({ setting: { origin, place } }: { setting: Setting }) {
	if (!place) return <span class={origin === "default" ? "quiet" : ""}>{origin}</span>;
	const shown = origin === "file" ? place.split(/[\\/]/).at(-1) : place;
	return (
		<code class="cut" title={place}>
			{shown}
		</code>
	);
}
