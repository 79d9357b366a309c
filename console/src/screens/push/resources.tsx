/** The resources of the routes: those that are planned, and how they stand at Google. */
import { useSignal } from "@preact/signals";
import type { PushPlan, PushWanted } from "../../api/types";
import { count } from "../../logic/lengths";
import { type FieldRow, isWork, type ResourceRow, rowsOf, shown, tally } from "../../logic/push";
import { CopyLine } from "../../parts/copy";
import { Icon } from "../../parts/icons";
import { Choice } from "../../parts/menu";
import { Section } from "../../parts/page";
import { href } from "../../place";
import { StandingWord } from "./standing";

const KINDS = [
	["topic", "Topics"],
	["subscription", "Subscriptions"],
	["scheduler job", "Scheduler jobs"],
] as const;

const SOME = ["all", "not as planned"] as const;

interface Props {
	wanted: PushWanted;
	plan: PushPlan | undefined;
}

/** How many of each kind are planned, and how many are there. */
export function Figures({ wanted, plan }: Props) {
	const rows = rowsOf(wanted.resources, plan);
	return (
		<dl class="figures three">
			{KINDS.map(([kind, name]) => {
				const found = tally(rows, kind);
				const words = [
					plan ? `${count(found.there)} there` : "",
					found.differ ? `${count(found.differ)} not as planned` : "",
					found.needless ? `${count(found.needless)} not wanted` : "",
					found.unknown ? `${count(found.unknown)} not looked at` : "",
				];
				return (
					<div key={kind} class="figure">
						<dt class="caption">{name}</dt>
						<dd>
							<span class="value">{count(found.wanted)}</span>
							<span class="quiet"> planned</span>
							<span class="quiet cut second-line">
								{words.filter(Boolean).join(", ") ||
									(kind === "scheduler job" && wanted.place?.scheduler === false
										? "the emulator has no scheduler"
										: "Google was not asked")}
							</span>
						</dd>
					</div>
				);
			})}
		</dl>
	);
}

/** What stands in the way: settings without a value, and routes that cannot be provisioned. */
export function Obstacles({ wanted, plan }: Props) {
	const { missing } = wanted;
	const problems = plan ? plan.problems : wanted.problems;
	const texts = new Map<string, string[]>();
	for (const one of problems)
		texts.set(one.text, [...(texts.get(one.text) ?? []), one.route ?? one.name]);
	const notes = plan ? plan.notes : wanted.notes;
	if (!missing.length && !texts.size && !notes.length) return null;
	return (
		<Section title={missing.length ? "Settings are missing" : "To be looked at"}>
			<ul class="lines obstacles">
				{missing.map((one) => (
					<li key={one.variable}>
						<Icon name="alarm" />
						<div>
							<p>
								<code class="strong">{one.variable}</code>
								<span class="quiet"> {one.says}</span>
							</p>
							<CopyLine text={`${one.variable}=${one.example}`} />
						</div>
					</li>
				))}
				{[...texts].map(([text, names]) => (
					<li key={text}>
						<Icon name="alarm" />
						<p>
							<strong>{names.filter(Boolean).join(", ")}</strong> {text}
						</p>
					</li>
				))}
				{notes.map((note) => (
					<li key={note} class="quiet">
						<Icon name="help" />
						<p>{note}</p>
					</li>
				))}
			</ul>
		</Section>
	);
}

/** Each resource, with its fields. */
export function Resources({ wanted, plan }: Props) {
	const only = useSignal<(typeof SOME)[number]>("all");
	const rows = rowsOf(wanted.resources, plan);
	const odd = rows.filter((one) => isWork(one) || one.stands === "unknown");
	const chosen = only.value === "all" || !plan ? rows : odd;
	if (!rows.length) return null;
	return (
		<Section
			title="Resources"
			beside={
				plan && (
					<Choice
						label="Which resources"
						of={SOME}
						value={only.value}
						choose={(one) => {
							only.value = one;
						}}
					/>
				)
			}
		>
			{plan && rows.some(isWork) && (
				<div class="to-apply">
					<p class="quiet">This brings them to what is planned, after it has asked:</p>
					<CopyLine text="rotulus gcp apply" />
				</div>
			)}
			{chosen.length ? (
				<ul class="attempts resources">
					{chosen.map((one) => (
						<li key={`${one.kind} ${one.name}`}>
							<Resource row={one} />
						</li>
					))}
				</ul>
			) : (
				<p class="quiet pad">Everything is as planned.</p>
			)}
		</Section>
	);
}

function Resource({ row }: { row: ResourceRow }) {
	const differs = row.fields.filter((one) => "there" in one);
	const holds = !!row.fields.length || !!row.problem;
	return (
		<details open={differs.length > 0 || undefined}>
			<summary class={holds ? "" : "plain"}>
				<StandingWord stands={row.stands} />
				<span class="quiet kind">{row.kind}</span>
				<code class="cut" title={row.name}>
					{row.name}
				</code>
				<span class="gap" />
				<span class="quiet cut wide">{row.task ?? (row.route ? row.route : "for all tasks")}</span>
				{holds && <Icon name="down" size={12} />}
			</summary>
			<div class="fields-of">
				{row.problem && <p class="bad-text">{row.problem}</p>}
				{row.task && (
					<p class="narrow-only">
						Task <a href={href(`tasks/${encodeURIComponent(row.task)}`)}>{row.task}</a>
					</p>
				)}
				<dl>
					{row.fields.map((one) => (
						<div key={one.field} class={"there" in one ? "differs" : ""}>
							<dt>{one.field.replaceAll("_", " ")}</dt>
							<dd>
								<Value field={one} />
							</dd>
						</div>
					))}
				</dl>
			</div>
		</details>
	);
}

function Value({ field }: { field: FieldRow }) {
	if (!("there" in field)) return <code>{shown(field.wanted)}</code>;
	return (
		<>
			<code>
				<del>{shown(field.there)}</del>
			</code>
			<span class="unseen"> there, planned: </span>
			<Icon name="right" size={12} />
			<code>
				<ins>{shown(field.wanted)}</ins>
			</code>
		</>
	);
}
