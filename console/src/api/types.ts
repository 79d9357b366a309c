/** What the API answers, as the screens read it: the names of the types of its document. */
import type { State } from "../logic/states";
import type { components } from "./schema";

type Schemas = components["schemas"];

/** Who has sent a request, and where it has come to. */
export type Me = Schemas["Me"];

export interface ErrorInfo {
	type: string;
	message: string;
	fingerprint?: string;
	traceback?: string;
}

export interface Progressed {
	done: number;
	total: number | null;
	note?: string;
}

/** A job in a list. */
export interface Job {
	id: string;
	task: string;
	queue: string;
	state: State;
	reason: string | null;
	priority: number;
	key: string | null;
	labels: Record<string, string>;
	attempt: number;
	run: string | null;
	group: string | null;
	step: string | null;
	paused: boolean;
	schedule: string | null;
	instant: string | null;
	created_at: string;
	run_at: string | null;
	started_at: string | null;
	ended_at: string | null;
	worker: string | null;
	cancel_requested: boolean;
	progress: Progressed | null;
	error: ErrorInfo | null;
}

export interface Attempt {
	number: number;
	reason: string;
	worker: string | null;
	started_at: string | null;
	ended_at: string;
	error: ErrorInfo | null;
}

/** A single job. Arguments and result are read from the text of the answer. */
export interface WholeJob extends Job {
	headers: Record<string, string>;
	attempts: Attempt[];
	why: string[];
}

export interface JobPage {
	items: Job[];
	next: string | null;
	looked_to?: string | null;
}

export interface Count {
	count: number;
	exact: boolean;
}

export interface TaskInfo {
	name: string;
	signature: string;
	docstring: string | null;
	tags: string[];
}

export interface Queue {
	name: string;
	jobs: Partial<Record<State, Count>>;
	paused_at: string | null;
	age: number | null;
}

export interface Queues {
	items: Queue[];
}

export interface FailureGroup {
	fingerprint: string;
	error: ErrorInfo;
	count: number;
	exact: boolean;
	first_seen: string;
	last_seen: string;
	tasks: string[];
	example: string;
}

export interface FailureGroups {
	items: FailureGroup[];
}

export type Worker = Schemas["Worker"];
export type Workers = Schemas["Workers"];

/** How a task is called, and how its jobs are run. */
export type TaskDetails = Schemas["TaskDetails"];

export interface Schedule {
	name: string;
	task: string;
	state: string;
	cron: string;
	timezone: string;
	next: string | null;
}

export interface Schedules {
	items: Schedule[];
}

export interface Times {
	mean: number | null;
	p50: number | null;
	p95: number | null;
	p99: number | null;
	max: number | null;
}

export interface Measured {
	name: string;
	enqueued: number;
	attempts: number;
	outcomes: Record<string, number>;
	waited: Times;
	ran: Times;
}

export interface Totals {
	items: Measured[];
}

export interface Point {
	at: string;
	value: number | null;
}

export interface Series {
	items: Point[];
}

export interface LogLine {
	attempt: number;
	number: number;
	at: string;
	level: string;
	logger: string;
	text: string;
	cursor: string;
}

export interface LogLines {
	items: LogLine[];
}

/** What a verb has done to how many jobs, or would do. */
export interface Changed extends Count {
	dry_run: boolean;
	/** Where it goes on, if its limit came first. */
	next: string | null;
}
