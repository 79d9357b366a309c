/** The screens: one line each. A new screen is a file beside this one, and a line here. */
import type { ComponentType } from "preact";
import type { IconName } from "../parts/icons";
import { params } from "../place";
import Jobs from "./jobs";
import { groupingIn } from "./jobs/counts";
import { firstPage } from "./jobs/pages";
import Overview from "./overview";

/** What a screen is given: the parts of the path that its pattern names. */
export interface ScreenProps {
	at: Record<string, string>;
}

export interface Screen {
	/** The path below the console: `jobs/:id`. */
	path: string;
	title: string;
	/** The screen, if it is a part of the first script: one that is opened first, as a rule. */
	here?: ComponentType<ScreenProps>;
	load?: () => Promise<{ default: ComponentType<ScreenProps> }>;
	/** Reads what somebody waits for on the screen, before any of it is drawn. */
	begin?: () => Promise<void> | undefined;
	/** In the navigation: the icon, and the key after `g`. */
	icon?: IconName;
	key?: string;
	/** Whether it is one of the tabs of a narrow page. */
	tab?: boolean;
}

export const SCREENS: readonly Screen[] = [
	{
		path: "",
		title: "Overview",
		icon: "overview",
		key: "o",
		tab: true,
		here: Overview,
	},
	{
		path: "jobs",
		title: "Jobs",
		icon: "jobs",
		key: "j",
		tab: true,
		here: Jobs,
		begin: () =>
			groupingIn(params.value) ? undefined : firstPage(params.value.get("q") ?? "").read(),
	},
	{ path: "jobs/:id", title: "Job", load: () => import("./job") },
	{ path: "jobs/:id/compare", title: "Compare", load: () => import("./compare") },
	{
		path: "failures",
		title: "Failures",
		icon: "failures",
		key: "f",
		tab: true,
		load: () => import("./failures"),
	},
	{
		path: "runs",
		title: "Runs",
		icon: "runs",
		key: "r",
		load: () => import("./runs"),
	},
	{ path: "runs/:id", title: "Run", load: () => import("./run") },
	{
		path: "tasks",
		title: "Tasks",
		icon: "tasks",
		key: "t",
		load: () => import("./tasks"),
	},
	{ path: "tasks/:name", title: "Task", load: () => import("./task") },
	{
		path: "queues",
		title: "Queues",
		icon: "queues",
		key: "q",
		tab: true,
		load: () => import("./queues"),
	},
	{
		path: "schedules",
		title: "Schedules",
		icon: "schedules",
		key: "s",
		load: () => import("./schedules"),
	},
	{ path: "schedules/$new", title: "Schedule", load: () => import("./schedule-form") },
	{ path: "schedules/:name", title: "Schedule", load: () => import("./schedule") },
	{ path: "schedules/:name/edit", title: "Schedule", load: () => import("./schedule-form") },
	{
		path: "workers",
		title: "Workers",
		icon: "workers",
		key: "w",
		load: () => import("./workers"),
	},
	{
		path: "push",
		title: "Push",
		icon: "broadcast",
		key: "p",
		load: () => import("./push"),
	},
	{
		path: "audit",
		title: "Audit",
		icon: "audit",
		key: "a",
		load: () => import("./audit"),
	},
	{
		path: "webhooks",
		title: "Webhooks",
		icon: "push",
		key: "h",
		load: () => import("./webhooks"),
	},
	{ path: "webhooks/$new", title: "Webhook", load: () => import("./webhook-form") },
	{ path: "webhooks/:name/edit", title: "Webhook", load: () => import("./webhook-form") },
	{
		path: "system",
		title: "System",
		icon: "system",
		key: "y",
		load: () => import("./system"),
	},
];

/** The screens of the navigation. */
export const PLACES = SCREENS.filter((one) => one.icon);
