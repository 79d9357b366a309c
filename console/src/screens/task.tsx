/** A task: run it, enqueue it, or copy the call; and how it has run. */
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { invalidate, useData } from "../api/cache";
import { sendText } from "../api/client";
import { Problem } from "../api/problem";
import type { JobPage, Queues, TaskDetails, TaskInfo } from "../api/types";
import { asCommand, asCurl, asPython, type CallOptions } from "../logic/commands";
import { empty, type Field, fieldAt, fieldsOf, type Schema, takesAny } from "../logic/schema";
import { Copy } from "../parts/copy";
import { Choice } from "../parts/menu";
import { Empty, Loaded, Page, Section } from "../parts/page";
import { StateMark } from "../parts/state";
import { Took, When } from "../parts/when";
import { API, href, params } from "../place";
import { mayOperate } from "../session";
import { tellProblem } from "../shell/toasts";
import type { ScreenProps } from ".";
import { shortId } from "./jobs/columns";
import { type Answer, Answered } from "./task/answer";
import { Facts } from "./task/facts";
import { argumentsOf, type Draft, Form, Mode } from "./task/form";
import { History } from "./task/history";
import { NOTHING, Options, optionsOf, type Typed } from "./task/options";

/** The screen. */
export default function TaskScreen({ at }: ScreenProps) {
	const name = at.name ?? "";
	const path = `tasks/${encodeURIComponent(name)}`;
	const task = useData<TaskInfo>(path, { topics: ["tasks"] });
	const details = useData<TaskDetails>(`${path}/$details`, { topics: ["tasks"] });
	return (
		<Page title={name} parent={{ title: "Tasks", to: "tasks" }}>
			<Loaded of={task} lines={8}>
				{(data) => (
					<div class="split">
						<div class="stack">
							<div class="docstring">
								<code>{data.name + data.signature}</code>
								{data.docstring && <p>{data.docstring}</p>}
							</div>
							<Loaded of={details}>{(told) => <Call details={told} />}</Loaded>
							<History task={name} />
							{details.data.value?.source && (
								<details class="card copy-as">
									<summary>Source</summary>
									<div class="traceback pad">
										<pre tabIndex={0}>{details.data.value.source}</pre>
									</div>
								</details>
							)}
						</div>
						<div class="stack">
							{details.data.value && <Facts task={data} details={details.data.value} />}
							<Recent task={name} />
						</div>
					</div>
				)}
			</Loaded>
		</Page>
	);
}

/** The form, what it asks, and what came of it. */
function Call({ details }: { details: TaskDetails }) {
	const fields = useMemo(() => fieldsOf((details.arguments ?? {}) as Schema), [details]);
	const isOpen = takesAny((details.arguments ?? {}) as Schema);
	const given = params.value.get("arguments");
	const draft = useSignal<Draft>({
		mode: given || isOpen ? "JSON" : "Form",
		filled: empty(fields),
		text: given ?? (isOpen ? "{\n}" : ""),
	});
	const typed = useSignal<Typed>(NOTHING);
	const refused = useSignal<Record<string, string>>({});
	const answer = useSignal<Answer | undefined>(undefined);
	const busy = useSignal(false);
	const queues = useData<Queues>("queues", { topics: ["queues"] }).data.value?.items ?? [];
	const { text, wrong } = argumentsOf(fields, draft.value);
	const options = optionsOf(typed.value);
	if (details.problem) {
		return (
			<Section title="Call">
				<Empty title="It cannot be called from here.">
					<p>{details.problem}</p>
				</Empty>
			</Section>
		);
	}
	const ask = async (verb: "enqueue" | "execute") => {
		refused.value = wrong;
		if (Object.keys(wrong).length || busy.value) return;
		busy.value = true;
		const begun = performance.now();
		try {
			const body = bodyOf(text, verb === "enqueue" ? options : {});
			const path = `tasks/${encodeURIComponent(details.name)}/$${verb}`;
			const told = await sendText("POST", path, body);
			const took = (performance.now() - begun) / 1000;
			answer.value =
				verb === "execute"
					? { text: told, seconds: took }
					: { job: (JSON.parse(told) as { id: string }).id };
			if (verb === "enqueue") invalidate(new Set(["jobs", "queues"]));
		} catch (problem) {
			refused.value = wrongOf(problem, fields);
			if (!Object.keys(refused.value).length) tellProblem(problem);
		} finally {
			busy.value = false;
		}
	};
	return (
		<>
			<Section
				title="Call"
				beside={
					fields.length > 0 &&
					!isOpen && (
						<Mode
							fields={fields}
							draft={draft.value}
							change={(next) => {
								draft.value = next;
								refused.value = {};
							}}
						/>
					)
				}
			>
				<form
					noValidate
					onSubmit={(event) => {
						event.preventDefault();
						if (mayOperate.value) void ask("enqueue");
					}}
				>
					<Form
						fields={fields}
						draft={draft.value}
						change={(next) => {
							draft.value = next;
						}}
						wrong={{ ...refused.value, ...(draft.value.mode === "JSON" ? wrong : {}) }}
					/>
					<Options
						typed={typed.value}
						change={(next) => {
							typed.value = next;
						}}
						wrong={refused.value}
						queue={details.queue}
						queues={queues.map((one) => one.name)}
					/>
					<footer class="call-foot">
						{mayOperate.value && (
							<>
								<button type="submit" class="main" disabled={busy.value}>
									Enqueue
								</button>
								{details.kind === "task" && (
									<button
										type="button"
										disabled={busy.value}
										title="Within this request: nothing is stored, nothing is tried again"
										onClick={() => void ask("execute")}
									>
										Run now
									</button>
								)}
							</>
						)}
						{mayOperate.value && (
							<a
								class="button"
								href={href("schedules/$new", { task: details.name, arguments: text })}
								title="With this task and these arguments"
							>
								Schedule…
							</a>
						)}
						<CopyAs name={details.name} text={text} options={options} />
					</footer>
				</form>
			</Section>
			{answer.value && <Answered answer={answer.value} />}
		</>
	);
}

function bodyOf(text: string, options: CallOptions): string {
	const others = Object.keys(options).length ? `, "options": ${JSON.stringify(options)}` : "";
	return `{"params": ${text}${others}}`;
}

/** What the server says is wrong, by the names of arguments and options. */
function wrongOf(problem: unknown, fields: readonly Field[]): Record<string, string> {
	if (!(problem instanceof Problem)) return {};
	const found: Record<string, string> = {};
	for (const { pointer = "", detail } of problem.errors) {
		const name = fieldAt(pointer);
		const isKnown = pointer.startsWith("/options") || fields.some((one) => one.name === name);
		if (isKnown) found[name] = detail;
		else return {};
	}
	return found;
}

const FORMS = ["Python", "curl", "Command"] as const;

/** The same call as a text for elsewhere. */
function CopyAs({ name, text, options }: { name: string; text: string; options: CallOptions }) {
	const shown = useSignal<(typeof FORMS)[number]>("Python");
	const address = new URL(`tasks/${encodeURIComponent(name)}/$enqueue`, API).href;
	const told = {
		Python: () => asPython(name, text, options),
		curl: () => asCurl(address, bodyOf(text, options)),
		Command: () => asCommand(name, text, options),
	}[shown.value]();
	return (
		<details class="copy-as">
			<summary>Copy the call</summary>
			<div class="copy-text">
				<Choice
					label="Copied as"
					of={FORMS}
					value={shown.value}
					choose={(one) => {
						shown.value = one;
					}}
				/>
				<Copy text={told} label={`Copy as ${shown.value}`} />
				<pre tabIndex={0}>{told}</pre>
			</div>
		</details>
	);
}

/** The last jobs of the task. */
function Recent({ task }: { task: string }) {
	const path = `jobs?task=${encodeURIComponent(task)}&limit=10`;
	const jobs = useData<JobPage>(path, { topics: ["jobs"] });
	return (
		<Section title="Last jobs" to={href("jobs", { q: `task:${task}` })}>
			<Loaded of={jobs} lines={3}>
				{(data) =>
					data.items.length ? (
						<ul class="lines">
							{data.items.map((job) => (
								<li key={job.id}>
									<a class="line" href={href(`jobs/${job.id}`)}>
										<StateMark state={job.state} label />
										<code class="cut">{shortId(job.id)}</code>
										{job.started_at && <Took from={job.started_at} to={job.ended_at} />}
										<span class="quiet right">
											<When at={job.created_at} />
										</span>
									</a>
								</li>
							))}
						</ul>
					) : (
						<p class="quiet pad">None so far.</p>
					)
				}
			</Loaded>
		</Section>
	);
}
