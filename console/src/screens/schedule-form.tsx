/** Adds a schedule, or changes one that was added. */
import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { invalidate, useData } from "../api/cache";
import { sendText } from "../api/client";
import { Problem } from "../api/problem";
import type { Schedule, TaskDetails, TaskInfo } from "../api/types";
import { member } from "../logic/json";
import { empty, fieldsOf, type Schema } from "../logic/schema";
import { Field } from "../parts/field";
import { Choice } from "../parts/menu";
import { Loaded, Page, Section } from "../parts/page";
import { go, href, params } from "../place";
import { tell, tellProblem } from "../shell/toasts";
import type { ScreenProps } from ".";
import { bodyOf, type Draft, draftOf, NEW } from "./schedule/draft";
import { pathOf } from "./schedules/verbs";
import { type Draft as Arguments, argumentsOf, Form, Mode } from "./task/form";

/** The screen: of a new schedule, or of the one that the address names. */
export default function ScheduleFormScreen({ at }: ScreenProps) {
	const { name } = at;
	const found = useData<Schedule>(name ? pathOf(name) : null);
	return (
		<Page
			title={name ? `Change ${name}` : "Add a schedule"}
			parent={{ title: "Schedules", to: "schedules" }}
		>
			{name ? (
				<Loaded of={found} lines={8}>
					{(schedule) => (
						<Edit
							schedule={schedule}
							first={draftOf(schedule)}
							given={member(found.text, "arguments")}
						/>
					)}
				</Loaded>
			) : (
				<Edit
					first={{ ...NEW, task: params.value.get("task") ?? "" }}
					given={params.value.get("arguments") ?? "{}"}
				/>
			)}
		</Page>
	);
}

interface EditProps {
	schedule?: Schedule;
	first: Draft;
	/** Its arguments, as JSON text. */
	given: string;
}

function Edit({ schedule, first, given }: EditProps) {
	const draft = useSignal(first);
	// The version that the draft was made of: what is read meanwhile is somebody else's.
	const version = useRef(schedule?.version);
	const wrong = useSignal<Record<string, string>>({});
	const tasks = useData<TaskInfo[]>("tasks").data.value ?? [];
	const isTask = tasks.some((one) => one.name === draft.value.task);
	const details = useData<TaskDetails>(
		isTask ? `tasks/${encodeURIComponent(draft.value.task)}/$details` : null,
	).data.value;
	const fields = useMemo(() => fieldsOf((details?.arguments ?? {}) as Schema), [details]);
	const typed = useSignal<Arguments>({ mode: "JSON", filled: empty([]), text: given });
	const told = argumentsOf(fields, typed.value);
	const set = (change: Partial<Draft>) => {
		draft.value = { ...draft.value, ...change };
	};
	const text =
		(name: keyof Draft) => (event: { currentTarget: HTMLInputElement | HTMLSelectElement }) =>
			set({ [name]: event.currentTarget.value });
	const { name, task, kind, cron, every, timezone, missed, overlap, start, end, spread } =
		draft.value;
	const save = async () => {
		wrong.value = told.wrong;
		if (Object.keys(told.wrong).length) return;
		const headers: Record<string, string> = schedule ? { "If-Match": `"${version.current}"` } : {};
		try {
			const body = bodyOf(draft.value, told.text, !schedule);
			const path = schedule ? pathOf(schedule.name) : "schedules";
			await sendText(schedule ? "PATCH" : "POST", path, body, headers);
			invalidate(new Set(["schedules"]));
			tell(schedule ? `${schedule.name} is changed.` : `${name} is added.`);
			go(href(`schedules/${encodeURIComponent(schedule?.name ?? name)}`));
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
			<Section title="What">
				<div class="fields">
					{!schedule && (
						<Field name="name" says="unique, such as nightly" wrong={wrong.value.name}>
							<input value={name} onInput={text("name")} autocomplete="off" data-focus />
						</Field>
					)}
					<Field name="task" says="that is enqueued" wrong={wrong.value.task}>
						<input value={task} onInput={text("task")} list="tasks" autocomplete="off" />
						<datalist id="tasks">
							{tasks.map((one) => (
								<option key={one.name} value={one.name} />
							))}
						</datalist>
					</Field>
				</div>
				{fields.length > 0 && (
					<div class="fields-head">
						<Mode
							fields={fields}
							draft={typed.value}
							change={(next) => {
								typed.value = next;
							}}
						/>
					</div>
				)}
				<Form
					fields={fields}
					draft={typed.value}
					change={(next) => {
						typed.value = next;
					}}
					wrong={wrong.value}
				/>
			</Section>
			<Section
				title="When"
				beside={
					<Choice
						label="How it is said"
						of={["cron", "interval"]}
						value={kind}
						choose={(one) => set({ kind: one })}
					/>
				}
			>
				<div class="fields">
					{kind === "cron" ? (
						<>
							<Field
								name="cron"
								says="minute hour day month weekday, or @daily"
								wrong={wrong.value.cron}
							>
								<input value={cron} onInput={text("cron")} placeholder="30 9 * * 1-5" />
							</Field>
							<Field name="timezone" says="in which they are read" wrong={wrong.value.timezone}>
								<input value={timezone} onInput={text("timezone")} list="zones" />
								<datalist id="zones">
									{Intl.supportedValuesOf("timeZone").map((one) => (
										<option key={one} value={one} />
									))}
								</datalist>
							</Field>
						</>
					) : (
						<Field name="every" says="90s, 15min, 2h" wrong={wrong.value.every}>
							<input value={every} onInput={text("every")} placeholder="15min" />
						</Field>
					)}
					<Field name="start" says="no instant is before" wrong={wrong.value.start}>
						<input type="datetime-local" value={start} onInput={text("start")} />
					</Field>
					<Field name="end" says="no instant is after" wrong={wrong.value.end}>
						<input type="datetime-local" value={end} onInput={text("end")} />
					</Field>
					<Field name="spread" says="jobs are due within that time" wrong={wrong.value.spread}>
						<input value={spread} onInput={text("spread")} placeholder="0s" />
					</Field>
					<Field
						name="missed"
						says="when no worker was there: latest, skip, all(24)"
						wrong={wrong.value.missed}
					>
						<input value={missed} onInput={text("missed")} />
					</Field>
					<Field name="overlap" says="while a job of it has not ended" wrong={wrong.value.overlap}>
						<select value={overlap} onChange={text("overlap")}>
							<option value="allow">allow: fire all the same</option>
							<option value="skip">skip: leave the instant out</option>
						</select>
					</Field>
				</div>
			</Section>
			<footer class="form-foot">
				<a
					class="button"
					href={href(schedule ? `schedules/${encodeURIComponent(schedule.name)}` : "schedules")}
				>
					Leave it
				</a>
				<button type="submit" class="main">
					{schedule ? "Change it" : "Add it"}
				</button>
			</footer>
		</form>
	);
}
