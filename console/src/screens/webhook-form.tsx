/** Adds a webhook, or changes one; then its secret is shown, once. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { invalidate, useData } from "../api/cache";
import { sendText } from "../api/client";
import { Problem } from "../api/problem";
import type { Queues, TaskInfo, Webhook, WebhookSecret } from "../api/types";
import { labelsOf, labelText } from "../logic/labels";
import { CopyLine } from "../parts/copy";
import { Field } from "../parts/field";
import { Loaded, Page, Section } from "../parts/page";
import { go, href } from "../place";
import { tell, tellProblem } from "../shell/toasts";
import type { ScreenProps } from ".";
import { pathOf, removeWebhook, rotate } from "./webhooks/verbs";

const ENDS = ["succeeded", "failed", "dead", "cancelled", "skipped"];
const EVENTS = [
	["job.*", ...ENDS.map((one) => `job.${one}`)],
	["run.*", ...ENDS.slice(0, 4).map((one) => `run.${one}`)],
];

/** The screen: of a new webhook, or of the one that the address names. */
export default function WebhookFormScreen({ at }: ScreenProps) {
	const { name } = at;
	const found = useData<Webhook>(name ? pathOf(name) : null);
	return (
		<Page
			title={name ? `Change ${name}` : "Add a webhook"}
			parent={{ title: "Webhooks", to: "webhooks" }}
		>
			{name ? (
				<Loaded of={found} lines={8}>
					{(hook) => <Edit hook={hook} />}
				</Loaded>
			) : (
				<Edit />
			)}
		</Page>
	);
}

function Edit({ hook }: { hook?: Webhook }) {
	// The version that is edited: what is read meanwhile is somebody else's.
	const begun = useRef(hook).current;
	const draft = useSignal({
		name: "",
		url: begun?.url ?? "",
		task: begun?.task ?? "",
		queue: begun?.queue ?? "",
		labels: labelText(begun?.labels ?? {}),
	});
	const events = useSignal<readonly string[]>(begun?.events ?? ["job.failed", "job.dead"]);
	const wrong = useSignal<Record<string, string>>({});
	const secret = useSignal<WebhookSecret | undefined>(undefined);
	const tasks = useData<TaskInfo[]>("tasks").data.value ?? [];
	const queues = useData<Queues>("queues", { topics: ["queues"] }).data.value?.items ?? [];
	if (secret.value) return <Secret hook={secret.value} />;
	const text = (name: keyof typeof draft.value) => ({
		value: draft.value[name],
		autocomplete: "off",
		onInput: (event: { currentTarget: HTMLInputElement }) => {
			draft.value = { ...draft.value, [name]: event.currentTarget.value };
		},
	});
	const save = async () => {
		const { name, url, task, queue, labels } = draft.value;
		const body = {
			...(!begun && { name }),
			url,
			events: events.value,
			task: task || null,
			queue: queue || null,
			labels: labelsOf(labels),
		};
		const headers: Record<string, string> = begun ? { "If-Match": `"${begun.version}"` } : {};
		try {
			const path = begun ? pathOf(begun.name) : "webhooks";
			const told = await sendText(begun ? "PATCH" : "POST", path, JSON.stringify(body), headers);
			invalidate(new Set(["webhooks"]));
			tell(begun ? `${begun.name} is changed.` : `${name} is told of what happens from now on.`);
			if (begun) go(href("webhooks"));
			else secret.value = JSON.parse(told) as WebhookSecret;
		} catch (problem) {
			tellProblem(problem);
			if (problem instanceof Problem) wrong.value = problem.byField();
		}
	};
	return (
		<form
			class="stack narrow-stack"
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				void save();
			}}
		>
			<Section title="Who is told">
				<div class="fields">
					{!begun && (
						<Field name="name" says="unique, such as ops-chat" wrong={wrong.value.name}>
							<input {...text("name")} data-focus />
						</Field>
					)}
					<Field
						name="url"
						says="that messages are sent to, by POST"
						wrong={wrong.value.url}
						isWide
					>
						<input {...text("url")} inputMode="url" placeholder="https://…" />
					</Field>
				</div>
			</Section>
			<Section title="Of what">
				{EVENTS.map(([all = "", ...one]) => (
					<Events
						key={all}
						all={all}
						of={one}
						chosen={events.value}
						choose={(next) => {
							events.value = next;
						}}
					/>
				))}
				{wrong.value.events && (
					<p class="wrong pad" role="alert">
						{wrong.value.events}
					</p>
				)}
			</Section>
			<Section title="Only">
				<div class="fields">
					<Field
						name="task"
						says="of this task; mail.* for all that begin so"
						wrong={wrong.value.task}
					>
						<input {...text("task")} list="tasks" placeholder="any" />
						<datalist id="tasks">
							{tasks.map((one) => (
								<option key={one.name} value={one.name} />
							))}
						</datalist>
					</Field>
					<Field name="queue" says="of jobs in it" wrong={wrong.value.queue}>
						<input {...text("queue")} list="queues" placeholder="any" />
						<datalist id="queues">
							{queues.map((one) => (
								<option key={one.name} value={one.name} />
							))}
						</datalist>
					</Field>
					<Field
						name="labels"
						says="that a job has: customer=7, plan=gold"
						wrong={wrong.value.labels}
					>
						<input {...text("labels")} placeholder="any" />
					</Field>
				</div>
			</Section>
			<footer class="form-foot">
				{begun && (
					<span class="buttons apart">
						<button type="button" class="bad-text" onClick={() => void removeWebhook(begun)}>
							Remove
						</button>
						<button
							type="button"
							onClick={async () => {
								secret.value = (await rotate(begun)) ?? undefined;
							}}
						>
							New secret
						</button>
					</span>
				)}
				<a class="button" href={href("webhooks")}>
					Leave it
				</a>
				<button type="submit" class="main">
					{begun ? "Change it" : "Add it"}
				</button>
			</footer>
		</form>
	);
}

interface EventsProps {
	/** All events of a kind, in one word. */
	all: string;
	of: readonly string[];
	chosen: readonly string[];
	choose: (chosen: readonly string[]) => void;
}

/** The events of a kind, as boxes to tick: all of them, or some. */
function Events({ all, of, chosen, choose }: EventsProps) {
	const kind = all.slice(0, all.indexOf("."));
	const others = chosen.filter((one) => !one.startsWith(kind));
	const own = chosen.filter((one) => one.startsWith(kind));
	return (
		<fieldset class="ticks">
			<legend>{kind === "job" ? "A job has" : "A run has"}</legend>
			{[all, ...of].map((one) => (
				<label key={one}>
					<input
						type="checkbox"
						checked={own.includes(one)}
						disabled={one !== all && own.includes(all)}
						onChange={(event) => {
							if (!event.currentTarget.checked) choose(chosen.filter((other) => other !== one));
							else choose(one === all ? [...others, all] : [...chosen, one]);
						}}
					/>
					{one === all ? "ended in any way" : one.slice(all.indexOf(".") + 1)}
				</label>
			))}
		</fieldset>
	);
}

/** The secret of a webhook, which is shown nowhere else. */
function Secret({ hook }: { hook: WebhookSecret }) {
	return (
		<div class="stack narrow-stack">
			<Section title={`The secret of ${hook.name}`}>
				<div class="pad">
					<p>
						Messages are signed with it: give it to the receiver. It is shown here only, and nobody
						can read it again.
					</p>
					<CopyLine text={hook.secret} />
				</div>
			</Section>
			<footer class="form-foot">
				<a class="button main" href={href("webhooks")}>
					The receiver has it
				</a>
			</footer>
		</div>
	);
}
