/** Audit: who has done what, to how many, and where. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { entry, useData } from "../api/cache";
import { withQuery } from "../api/client";
import type { AuditEntry, AuditPage } from "../api/types";
import { count } from "../logic/lengths";
import { CopyLine } from "../parts/copy";
import { Choice } from "../parts/menu";
import { Empty, Loaded, Page } from "../parts/page";
import { right, Table } from "../parts/table";
import { When } from "../parts/when";
import { href, params, setParams } from "../place";
import { has } from "../session";

const NOUNS = ["all", "jobs", "queues", "schedules", "runs", "failures"] as const;
type Noun = (typeof NOUNS)[number];

/** The screen. */
export default function Audit() {
	const given = params.value.get("noun");
	const noun: Noun = NOUNS.find((one) => one === given) ?? "all";
	const actor = params.value.get("actor") ?? "";
	if (!has("admin"))
		return (
			<Page title="Audit">
				<Empty title="The audit is for admins.">
					<p>It says who has done what, to how many.</p>
				</Empty>
			</Page>
		);
	const query = { verb: noun === "all" ? null : `${noun}.*`, actor, limit: 100 };
	return (
		<Page
			title="Audit"
			actions={
				<Choice
					label="Of what"
					of={NOUNS}
					value={noun}
					choose={(one) => setParams({ noun: one === "all" ? null : one })}
				/>
			}
		>
			{actor && (
				<p class="quiet filter-line">
					Done by {actor}
					<button type="button" class="link" onClick={() => setParams({ actor: null })}>
						Show everybody
					</button>
				</p>
			)}
			<Pages key={JSON.stringify(query)} query={query} />
		</Page>
	);
}

const KEEPING = { topics: ["jobs", "queues", "schedules"], every: 10_000 };

function Pages({ query }: { query: Record<string, string | number | null> }) {
	const first = useData<AuditPage>(withQuery("audit", query), KEEPING);
	const later = useSignal<readonly AuditPage[]>([]);
	const shown = first.data.value ? [first.data.value, ...later.value] : [];
	const items = useMemo(() => {
		const found = new Map<string, AuditEntry>();
		for (const page of shown) for (const one of page.items) found.set(one.id, one);
		return [...found.values()];
	}, shown);
	const next = shown.at(-1)?.next ?? null;
	const more = async () => {
		if (!next) return;
		const page = entry<AuditPage>(withQuery("audit", { ...query, after: next }));
		await page.read();
		if (page.data.value) later.value = [...later.value, page.data.value];
	};
	return (
		<Loaded of={first} lines={8}>
			{() =>
				items.length ? (
					<>
						<Table heads={HEADS}>
							{items.map((one) => (
								<Row key={one.id} entry={one} />
							))}
						</Table>
						{next && (
							<p class="more-line">
								<button type="button" onClick={() => void more()}>
									Show earlier ones
								</button>
							</p>
						)}
					</>
				) : (
					<None />
				)
			}
		</Loaded>
	);
}

const HEADS = ["Who", "Did", "To what", right("How many"), "Door", right("When")];

function Row({ entry }: { entry: AuditEntry }) {
	return (
		<tr>
			<th scope="row">
				<button
					type="button"
					class="link plain-link"
					title={`Only what ${entry.actor} has done`}
					onClick={() => setParams({ actor: entry.actor })}
				>
					<span class="cut">{entry.actor}</span>
				</button>
				{entry.role && <span class="quiet"> {entry.role}</span>}
			</th>
			<td>
				<code>{entry.verb}</code>
			</td>
			<td class="audit-what">
				<What entry={entry} />
				{entry.error && <span class="bad-text"> {entry.error}</span>}
			</td>
			<td class="right number" data-name="to">
				{entry.count === null ? (
					<span class="quiet">{entry.ended_at ? "–" : "not told"}</span>
				) : (
					count(entry.count)
				)}
			</td>
			<td data-name="by">{entry.door}</td>
			<td class="right" data-name="at">
				<When at={entry.at} />
			</td>
		</tr>
	);
}

/** What it was done to: a link, or the filters that chose it. */
function What({ entry }: { entry: AuditEntry }) {
	const { target, verb, detail } = entry;
	const noun = verb.split(".")[0] ?? "";
	const told = useMemo(() => wordsOf(detail), [detail]);
	const words = target ? "" : told;
	if (!target)
		return (
			<span class="cut" title={words}>
				{words || <span class="quiet">–</span>}
			</span>
		);
	const places: Record<string, string> = {
		jobs: href(`jobs/${target}`),
		runs: href(`runs/${target}`),
		schedules: href(`schedules/${encodeURIComponent(target)}`),
		queues: href("jobs", { q: `queue:${target}` }),
		failures: href("jobs", { q: `fingerprint:${target}` }),
	};
	const to = places[noun];
	return (
		<span class="cut" title={told}>
			{to ? <a href={to}>{target}</a> : target}
		</span>
	);
}

function wordsOf(detail: Record<string, unknown>): string {
	return Object.entries(detail)
		.filter(([, value]) => value !== null && value !== false)
		.map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
		.join(", ");
}

function None() {
	return (
		<Empty title="Nobody has done anything.">
			<p>Each verb stands here before it is done: who, where, and to how many.</p>
			<CopyLine text="rotulus audit" />
		</Empty>
	);
}
