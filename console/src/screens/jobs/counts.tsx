/** How many of the jobs that match have the same error, task, queue or worker. */
import type { ComponentChildren } from "preact";
import { useData } from "../../api/cache";
import type { AlikeJobs, JobCounts } from "../../api/types";
import { count } from "../../logic/lengths";
import { toQuery, withTerm, wrongOf } from "../../logic/query";
import { Groups } from "../../parts/groups";
import { Loaded } from "../../parts/page";
import { StateWord } from "../../parts/state";
import { When } from "../../parts/when";
import { href, setParams, withParams } from "../../place";
import { mayOperate } from "../../session";
import { act, type Verb } from "./verbs";

const GROUPINGS = ["error", "task", "queue", "worker"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Returns what an address groups jobs by; null: it lists them. */
export function groupingIn(params: URLSearchParams): Grouping | null {
	return GROUPINGS.find((one) => one === params.get("by")) ?? null;
}

/** What the jobs are grouped by. */
export function Grouping({ value }: { value: Grouping | null }) {
	return (
		<select
			aria-label="Group by"
			value={value ?? ""}
			onChange={(event) => setParams({ by: event.currentTarget.value })}
		>
			<option value="">Not grouped</option>
			{GROUPINGS.map((one) => (
				<option key={one} value={one}>
					Group by {one}
				</option>
			))}
		</select>
	);
}

const SHOWN = 100;
const KEEPING = { topics: ["jobs"], shortest: 5000 };
const NAMES = { error: "fingerprint", task: "task", queue: "queue", worker: "worker" };
const VERBS: readonly [Verb, string][] = [
	["retry", "Retry"],
	["cancel", "Cancel"],
	["delete", "Delete"],
];

interface CountsProps {
	query: string;
	by: Grouping;
	/** What is shown where no job matches. */
	none: ComponentChildren;
}

/** The groups, the largest first. */
export function Counts({ query, by, none }: CountsProps) {
	const asked = new URLSearchParams([["by", by], ["limit", `${SHOWN + 1}`], ...toQuery(query)]);
	const found = useData<JobCounts>(`jobs/$count_by?${asked}`, KEEPING);
	return (
		<Loaded of={found} lines={8}>
			{({ items, looked_to }) =>
				items.length ? (
					<>
						<NoVerbs query={query} />
						<Groups
							key={query}
							of={items.length > SHOWN ? items.slice(0, SHOWN) : items}
							idOf={(one) => one.value}
						>
							{(one, anew) => (
								<Group
									key={one.value}
									of={one}
									by={by}
									query={one.value === null ? null : withTerm(query, NAMES[by], one.value)}
									changed={() => {
										anew();
										void found.read();
									}}
								/>
							)}
						</Groups>
						{items.length > SHOWN && <p class="quiet pad">The {SHOWN} largest are shown.</p>}
						{looked_to && (
							<p class="quiet pad">
								Counted are the last jobs that match, back to <When at={looked_to} />.
							</p>
						)}
					</>
				) : (
					none
				)
			}
		</Loaded>
	);
}

/** Says why nothing can be done to all jobs of a query. */
function NoVerbs({ query }: { query: string }) {
	const wrong = mayOperate.value && wrongOf(query);
	return wrong ? <p class="warn-text pad">{wrong} Nothing can be done to all that match.</p> : null;
}

interface GroupProps {
	of: AlikeJobs;
	by: Grouping;
	/** What finds the jobs of the group; null: nothing does. */
	query: string | null;
	changed: () => void;
}

function Group({ of, by, query, changed }: GroupProps) {
	const { example, value } = of;
	const error = by === "error" && value ? example.error : null;
	const name = error?.type ?? value ?? `No ${by}`;
	const named = error ? `${name} ${value}` : name;
	const jobs = count(of.count, of.exact);
	const link = query === null ? {} : { href: withParams({ q: query, by: null }) };
	return (
		<li class={mayOperate.value ? "group plain steered" : "group plain"}>
			<div class="group-text">
				<a class="strong cut" title={name} {...link}>
					{name}
				</a>
				{error && (
					<p class="message" title={error.message}>
						{error.message}
					</p>
				)}
				<p class="quiet">
					{by !== "task" && <span>{example.task}</span>}
					<a href={href(`jobs/${example.id}`)}>last example</a>
					<StateWord state={example.state} />
					{error && <code>{value}</code>}
				</p>
			</div>
			<div class="group-times quiet">
				<span>
					last <When at={of.last_added} />
				</span>
				<span>
					first <When at={of.first_added} />
				</span>
			</div>
			<a class="group-count number" {...link}>
				{jobs}
			</a>
			{mayOperate.value && query !== null && !wrongOf(query) && (
				<div class="group-actions">
					{VERBS.map(([verb, word]) => (
						<button
							key={verb}
							type="button"
							aria-label={`${word} ${named}`}
							onClick={() =>
								void act(verb, { query, group: { name, count: jobs } }).then(
									(done) => done && changed(),
								)
							}
						>
							{word}
						</button>
					))}
				</div>
			)}
		</li>
	);
}
