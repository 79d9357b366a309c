/** The keys of limits: which jobs hold them, and how many wait for them. */
import { useData } from "../../api/cache";
import type { Limit, Limits } from "../../api/types";
import { count, length } from "../../logic/lengths";
import { Gauge } from "../../parts/charts";
import { Section } from "../../parts/page";
import { right, Table } from "../../parts/table";
import { href } from "../../place";
import { shortId } from "../jobs/columns";

const HEADS = ["Key", "Holds", "Rate", right("Waiting"), "Held by"];
const SHOWN = 3;

/** The list; nothing while no job has a limit. */
export function LimitList() {
	const limits = useData<Limits>("limits", { topics: ["queues"], shortest: 3000 });
	const items = limits.data.value?.items ?? [];
	if (!items.length) return null;
	return (
		<Section title="Limits" beside={<span class="quiet">as the code of the tasks says</span>}>
			<Table heads={HEADS} isCard={false}>
				{items.map((one) => (
					<Row key={one.key} limit={one} />
				))}
			</Table>
		</Section>
	);
}

function Row({
	limit: { key, queues, limit, rate, per, holders, running, waiting },
}: {
	limit: Limit;
}) {
	return (
		<tr class="tall">
			<th scope="row">
				<span class="cut strong" title={key}>
					{key}
				</span>
				<span class="cut quiet second-line">{queues.join(", ")}</span>
			</th>
			<td data-name="holds">
				<span class="with-gauge">
					{limit !== null && (
						<Gauge part={running} whole={limit} label={`${running} of ${limit} at once`} />
					)}
					<span class={limit !== null && running >= limit ? "number strong" : "number"}>
						{limit === null ? count(running) : `${count(running)} of ${count(limit)}`}
					</span>
				</span>
			</td>
			<td class="wide">
				{rate === null ? <span class="quiet">–</span> : `${count(rate)} in ${length(per)}`}
			</td>
			<td class="right number" data-name="waiting">
				{waiting ? count(waiting) : <span class="quiet">0</span>}
			</td>
			<td>
				<span class="labels">
					{holders.slice(0, SHOWN).map((id) => (
						<a key={id} class="label" href={href(`jobs/${id}`)}>
							{shortId(id)}
						</a>
					))}
					{running > SHOWN && <span class="quiet">{count(running - SHOWN)} more</span>}
					{!running && <span class="quiet">nobody</span>}
				</span>
			</td>
		</tr>
	);
}
