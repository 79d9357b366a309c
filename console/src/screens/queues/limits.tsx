/** The keys of limits: which jobs hold them, how many wait for them, and terms that are set. */
import { useSignal } from "@preact/signals";
import { useData } from "../../api/cache";
import type { Limit, Limits } from "../../api/types";
import { count, length } from "../../logic/lengths";
import { consequence, rateOf, rateText } from "../../logic/limits";
import { Gauge } from "../../parts/charts";
import { Dialog } from "../../parts/dialog";
import { Field } from "../../parts/field";
import { Section } from "../../parts/page";
import { ACTIONS, right, Table } from "../../parts/table";
import { When } from "../../parts/when";
import { href } from "../../place";
import { mayOperate } from "../../session";
import { act } from "../../shell/act";
import { shortId } from "../jobs/columns";

const HEADS = ["Key", "Holds", "Rate", right("Waiting"), "Held by", ACTIONS];
const SHOWN = 3;

/** The list; nothing while no job has a limit, and none is set. */
export function LimitList() {
	const limits = useData<Limits>("limits", { topics: ["queues", "limits"], shortest: 3000 });
	const edited = useSignal<Limit | undefined>(undefined);
	const items = limits.data.value?.items ?? [];
	if (!items.length) return null;
	const close = () => {
		edited.value = undefined;
	};
	return (
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
			{edited.value && <Terms limit={edited.value} close={close} />}
		</Section>
	);
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

/** Asks for terms of a key, and says what comes of them before they are set. */
function Terms({ limit: one, close }: { limit: Limit; close: () => void }) {
	const isSet = one.set_at !== null;
	const limit = useSignal(isSet && one.limit !== one.code_limit ? String(one.limit ?? "") : "");
	const rate = useSignal(isSet && one.rate !== one.code_rate ? rateText(one.rate, one.per) : "");
	const terms = {
		limit: limit.value.trim() ? Number(limit.value) : null,
		...(rate.value.trim() ? rateOf(rate.value) : { rate: null, per: null }),
	};
	const says = consequence(one, terms);
	const set = async (body: Body | null) => {
		close();
		await change(one, body);
	};
	return (
		<Dialog title={`Set the limit of ${one.key}`} close={close}>
			<form
				noValidate
				onSubmit={(event) => {
					event.preventDefault();
					if (!says.wrong) void set(terms);
				}}
			>
				<Field name="limit" says="how many run at once; 0: none starts">
					<input
						value={limit.value}
						inputMode="numeric"
						autocomplete="off"
						placeholder={one.code_limit === null ? "any" : `${one.code_limit}, by the code`}
						onInput={(event) => {
							limit.value = event.currentTarget.value;
						}}
						data-focus
					/>
				</Field>
				<Field name="rate" says="how many start in a time, such as 100/min">
					<input
						value={rate.value}
						autocomplete="off"
						placeholder={rateText(one.code_rate, one.code_per) || "any"}
						onInput={(event) => {
							rate.value = event.currentTarget.value;
						}}
					/>
				</Field>
				<p role="status">{says.text}</p>
				<footer>
					{isSet && (
						<button type="button" onClick={() => void set(null)}>
							As the code says
						</button>
					)}
					<button type="button" onClick={close}>
						Leave it
					</button>
					<button type="submit" class="main" disabled={says.wrong}>
						Set it
					</button>
				</footer>
			</form>
		</Dialog>
	);
}

interface Body {
	limit: number | null;
	rate: number | null;
	per: number | null;
}

/** Sets terms, or has those of the code hold again; the toast takes it back. */
async function change(before: Limit, body: Body | null): Promise<void> {
	const { key, set_at, limit, rate, per, code_limit, code_rate } = before;
	const was = {
		limit: limit === code_limit ? null : limit,
		...(rate === code_rate ? { rate: null, per: null } : { rate, per }),
	};
	const isTerms = set_at !== null && (was.limit !== null || was.rate !== null);
	await act<Limit>({
		path: `limits/${encodeURIComponent(key)}`,
		method: body ? "PUT" : "DELETE",
		body: body ?? undefined,
		says: body ? `The limit of ${key} is set.` : `${key} is limited as the code says.`,
		undo: (after) => void change(after, isTerms ? was : null),
		topics: ["limits", "queues"],
	});
}
