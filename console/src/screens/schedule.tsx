/** A schedule: when it fires, when it has fired, and what can be done to it. */
import { useMemo } from "preact/hooks";
import { useData } from "../api/cache";
import { withQuery } from "../api/client";
import type { Instants, JobPage, Schedule } from "../api/types";
import { member } from "../logic/json";
import { length } from "../logic/lengths";
import { changeWords, withChanges } from "../logic/zones";
import { Fact } from "../parts/fact";
import { Json } from "../parts/json";
import { Loaded, Page, Section } from "../parts/page";
import { StateMark } from "../parts/state";
import { inZones, now, When } from "../parts/when";
import { go, href } from "../place";
import { mayOperate } from "../session";
import type { ScreenProps } from ".";
import { Backfill } from "./schedule/backfill";
import { Calendar } from "./schedule/calendar";
import { Stands } from "./schedules";
import { isFiring, pathOf, pauseSchedule, removeSchedule, runNow } from "./schedules/verbs";

/** The screen. */
export default function ScheduleScreen({ at }: ScreenProps) {
	const name = at.name ?? "";
	const found = useData<Schedule>(pathOf(name), { topics: ["schedules"], every: 15_000 });
	const schedule = found.data.value;
	return (
		<Page
			title={name}
			parent={{ title: "Schedules", to: "schedules" }}
			actions={schedule && mayOperate.value && <Actions schedule={schedule} />}
		>
			<Loaded of={found} lines={8}>
				{(data) => <Whole schedule={data} text={found.text} />}
			</Loaded>
		</Page>
	);
}

function Whole({ schedule, text }: { schedule: Schedule; text: string }) {
	const given = useMemo(() => member(text, "arguments"), [text]);
	const path = withQuery("jobs", { schedule: schedule.name, since: "35d", limit: 500 });
	const jobs = useData<JobPage>(path, { topics: ["schedules"], every: 15_000 });
	return (
		<div class="split">
			<div class="stack">
				<section class="card state-card">
					<p class="sentence">{sentence(schedule.description)}</p>
					<p class="quiet">
						<code>{schedule.cron}</code>
					</p>
					<p class="stands">
						<Stands schedule={schedule} />
					</p>
				</section>
				<Section title="Past firings">
					<Loaded of={jobs} lines={3}>
						{(data) => <Calendar jobs={data.items} zone={schedule.timezone} whole={!data.next} />}
					</Loaded>
				</Section>
				{mayOperate.value && isFiring(schedule) && <Backfill name={schedule.name} />}
			</div>
			<div class="stack">
				<Next schedule={schedule} />
				<Facts schedule={schedule} />
				<Section title="Arguments">
					<Json text={given === "{}" ? "" : given} empty="It gives none." />
				</Section>
			</div>
		</div>
	);
}

function sentence(text: string): string {
	return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The next ten instants, with the changes of the clock that lie between them. */
function Next({ schedule }: { schedule: Schedule }) {
	const path = `${pathOf(schedule.name)}/$instants?count=10`;
	const found = useData<Instants>(path, { topics: ["schedules"], every: untilFirst });
	const zone = schedule.timezone;
	const isFine = found.data.value?.items.some((at) => new Date(at).getUTCSeconds()) ?? false;
	return (
		<Section title={schedule.state === "paused" ? "Next, if it is resumed" : "Next"}>
			<Loaded of={found} lines={5}>
				{(data) =>
					data.items.length ? (
						<ol class="lines instants">
							{withChanges(data.items, zone, now.peek()).map(({ at, changed }) => (
								<li key={at} class="line">
									<time dateTime={at} title={inZones(Date.parse(at), zone)}>
										{day(at, zone, isFine)}
									</time>
									{changed !== 0 && <span class="tag warn">{changeWords(changed)}</span>}
									<span class="gap" />
									<span class="quiet right">
										<When at={at} zone={zone} />
									</span>
								</li>
							))}
						</ol>
					) : (
						<p class="quiet pad">None: it fires no more.</p>
					)
				}
			</Loaded>
		</Section>
	);
}

/** The milliseconds until the first of them is over, so that none stays that is. */
function untilFirst(instants: Instants | undefined): number {
	const first = Date.parse(instants?.items[0] ?? "");
	return Number.isNaN(first) ? 60_000 : Math.min(60_000, Math.max(2000, first - Date.now()));
}

function day(at: string, zone: string, isFine: boolean): string {
	return new Intl.DateTimeFormat("en-GB", {
		weekday: "short",
		day: "numeric",
		month: "short",
		hour: "2-digit",
		minute: "2-digit",
		...(isFine && { second: "2-digit" }),
		hourCycle: "h23",
		timeZone: zone,
	}).format(Date.parse(at));
}

const MISSED: Record<string, string> = {
	latest: "the last one is fired",
	skip: "they are left out",
};

function Facts({ schedule }: { schedule: Schedule }) {
	const { task, missed, overlap, spread, start, end, last, last_state, last_job } = schedule;
	return (
		<Section title="Facts">
			<dl class="facts">
				<Fact name="Task">
					<a href={href(`tasks/${encodeURIComponent(task)}`)}>{task}</a>
				</Fact>
				<Fact name="From">{schedule.origin === "code" ? "the code" : "added here"}</Fact>
				<Fact name="Missed">
					{MISSED[missed] ?? `the last ${missed.replace(/\D/g, "")} are fired`}
				</Fact>
				<Fact name="Overlap">{overlap === "skip" ? "waits for the job before" : "allowed"}</Fact>
				{spread > 0 && <Fact name="Spread">over {length(spread)}</Fact>}
				{start && (
					<Fact name="Starts">
						<When at={start} whole />
					</Fact>
				)}
				{end && (
					<Fact name="Ends">
						<When at={end} whole />
					</Fact>
				)}
				{last_job && last_state && (
					<Fact name="Last">
						<a class="with-mark" href={href(`jobs/${last_job}`)}>
							<StateMark state={last_state} label /> <When at={last} />
						</a>
					</Fact>
				)}
			</dl>
		</Section>
	);
}

function Actions({ schedule }: { schedule: Schedule }) {
	const { name, state, origin } = schedule;
	const mayRemove = origin === "added" || state === "retired";
	const path = `schedules/${encodeURIComponent(name)}`;
	return (
		<>
			{state !== "unknown_task" && state !== "unreadable" && (
				<button type="button" onClick={() => void runNow(schedule)}>
					Run now
				</button>
			)}
			{isFiring(schedule) && (
				<button type="button" onClick={() => void pauseSchedule(schedule)}>
					{state === "paused" ? "Resume" : "Pause"}
				</button>
			)}
			{origin === "added" && (
				<a class="button" href={href(`${path}/edit`)}>
					Edit
				</a>
			)}
			{mayRemove && (
				<button
					type="button"
					onClick={async () => {
						if (await removeSchedule(name)) go(href("schedules"));
					}}
				>
					Remove
				</button>
			)}
		</>
	);
}
