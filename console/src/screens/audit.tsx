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
						<div class="table-box card">
							<Table items={items} />
						</div>
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

function Table({ items }: { items: readonly AuditEntry[] }) {
	return (
		<table class="table">
			<thead>
				<tr>
					<th scope="col">Who</th>
					<th scope="col">Did</th>
					<th scope="col">To what</th>
					<th scope="col" class="right">
						How many
					</th>
					<th scope="col">Door</th>
					<th scope="col" class="right">
						When
					</th>
				</tr>
			</thead>
			<tbody>
				{items.map((one) => (
					<tr key={one.id}>
						<th scope="row">
							<button
								type="button"
								class="link plain-link"
								title={`Only what ${one.actor} has done`}
								onClick={() => setParams({ actor: one.actor })}
							>
								<span class="cut">{one.actor}</span>
							</button>
							{one.role && <span class="quiet"> {one.role}</span>}
						</th>
						<td>
							<code>{one.verb}</code>
						</td>
						<td class="audit-what">
							<What entry={one} />
							{one.error && <span class="bad-text"> {one.error}</span>}
						</td>
						<td class="right number" data-name="to">
							{one.count === null ? (
								<span class="quiet">{one.ended_at ? "–" : "not told"}</span>
							) : (
								count(one.count)
							)}
						</td>
						<td data-name="by">{one.door}</td>
						<td class="right" data-name="at">
							<When at={one.at} />
						</td>
					</tr>
				))}
			</tbody>
		</table>
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
