/** The screens: one line each. A new screen is a file beside this one, and a line here. */
import type { ComponentType } from "preact";
import type { IconName } from "../parts/icons";

/** What a screen is given: the parts of the path that its pattern names. */
export interface ScreenProps {
	at: Record<string, string>;
}

export interface Screen {
	/** The path below the console: `jobs/:id`. */
	path: string;
	title: string;
	load: () => Promise<{ default: ComponentType<ScreenProps> }>;
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
		load: () => import("./overview"),
	},
	{ path: "jobs", title: "Jobs", icon: "jobs", key: "j", tab: true, load: () => import("./jobs") },
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
