/** The keys of limits: which jobs hold them, how many wait for them, and who has set terms. */
import { useSignal } from "@preact/signals";
import { useData } from "../../api/cache";
import type { Limit, Limits, Queue } from "../../api/types";
import { count } from "../../logic/lengths";
import { windowText } from "../../logic/limits";
import { Gauge } from "../../parts/charts";
import { Section } from "../../parts/page";
import { ACTIONS, right, Table } from "../../parts/table";
import { When } from "../../parts/when";
import { href } from "../../place";
import { mayOperate } from "../../session";
import { shortId } from "../jobs/columns";
import { Terms } from "./terms";

const HEADS = ["Key", "Holds", "Rate", right("Waiting"), "Held by", ACTIONS];
const SHOWN = 3;

/** The list; nothing while no job has a limit, and none is set. A form stays until it is closed. */
export function LimitList({ queues }: { queues: readonly Queue[] }) {
	const limits = useData<Limits>("limits", { topics: ["queues", "limits"], shortest: 3000 });
	const edited = useSignal<Limit | undefined>(undefined);
	const items = limits.data.value?.items ?? [];
	const known = edited.value;
	return (
		<>
			{items.length > 0 && (
				<Section
					title="Limits"
					beside={<span class="quiet">as the code of the tasks says, unless they are set</span>}
				>
					<Table heads={HEADS} isCard={false}>
						{items.map((one) => (
							<Row
								key={one.key}
								limit={one}
								edit={() => {
									edited.value = one;
								}}
							/>
						))}
					</Table>
				</Section>
			)}
			{known && (
				<Terms
					limit={items.find((one) => one.key === known.key) ?? left(known)}
					paused={queues.flatMap((one) => (one.paused_at ? one.name : []))}
					close={() => {
						edited.value = undefined;
					}}
				/>
			)}
		</>
	);
}

/** A key that is in the list no more: no job has it, and no terms of it are set. */
function left(known: Limit): Limit {
	const { code_limit: limit, code_rate: rate, code_per: per } = known;
	const terms = { limit, rate, per, set_at: null, set_by: null };
	return { ...known, ...terms, queues: [], holders: [], running: 0, waiting: 0 };
}

function Row({ limit: one, edit }: { limit: Limit; edit: () => void }) {
	const { key, queues, limit, rate, per, holders, running, waiting, set_at, set_by } = one;
	return (
		<tr class="tall">
			<th scope="row">
				<span class="cut strong" title={key}>
					{key}
				</span>
				<span class="cut quiet second-line">
					{set_at ? (
						<>
							set {set_by && `by ${set_by} `}
							<When at={set_at} />
						</>
					) : (
						queues.join(", ")
					)}
				</span>
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
				{rate === null ? <span class="quiet">–</span> : `${count(rate)} in ${windowText(per)}`}
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
			<td class="right act">
				{mayOperate.value && (
					<button type="button" onClick={edit}>
						Set…
					</button>
				)}
			</td>
		</tr>
	);
}
