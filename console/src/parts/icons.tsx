/** The icons: one path each, 16 by 16, drawn with the colour of the text. */

const PATHS = {
	overview: "M2.5 9.5v4M6.2 5.5v8M9.8 7.5v6M13.5 2.5v11",
	jobs: "M2.5 4h11M2.5 8h11M2.5 12h7",
	failures: "M8 2.2 14.3 13.3H1.7ZM8 6.5v3.3M8 11.6v.1",
	runs: "M3.5 2.5v7a3 3 0 0 0 3 3h6M3.5 5.5a3 3 0 0 0 3 2h6M10.5 5.5l2 2-2 2M10.5 10.5l2 2-2 2",
	tasks: "M10.5 2.5h-1a2 2 0 0 0-2 2v7a2 2 0 0 1-2 2h-1M5 7h5.5",
	queues: "M2.5 3h11v3h-11ZM2.5 8h11v3h-11ZM4.5 13.5h7",
	schedules: "M8 2a6 6 0 1 0 .01 0ZM8 4.8V8l2.3 1.6",
	workers: "M3 3.5h10v6H3ZM6 13h4M8 9.5V13",
	broadcast:
		"M8 6.8a1.2 1.2 0 1 0 .01 0ZM5.2 5.2a4 4 0 0 0 0 5.6M10.8 5.2a4 4 0 0 1 0 5.6M3 3a7 7 0 0 0 0 10M13 3a7 7 0 0 1 0 10",
	push: "M2.5 8h8M7.5 4.5 11 8l-3.5 3.5M13.5 3v10",
	audit: "M4 2.5h6l2.5 2.5v8.5H4ZM6.2 7h4M6.2 10h4",
	system: "M2.5 5h6M12.5 5h1M2.5 11h1M7.5 11h6M10.5 3v4M5.5 9v4",
	search: "M7 2.5a4.5 4.5 0 1 0 .01 0ZM10.3 10.3l3.2 3.2",
	close: "M4 4l8 8M12 4l-8 8",
	copy: "M5.5 5.5h8v8h-8ZM3.5 10.5h-1v-8h8v1",
	right: "M6 3.5 10.5 8 6 12.5",
	down: "M3.5 6 8 10.5 12.5 6",
	up: "M3.5 10 8 5.5l4.5 4.5",
	more: "M3.5 8v.1M8 8v.1M12.5 8v.1",
	pause: "M5.5 3.5v9M10.5 3.5v9",
	play: "M5 3.2 12.5 8 5 12.8Z",
	retry: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5v3h-3",
	sun: "M8 5.2a2.8 2.8 0 1 0 .01 0ZM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7",
	moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5Z",
	system_theme: "M2.5 3h11v7.5h-11ZM5.5 13.5h5",
	help: "M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.6-.7 1.1v.3M8 11.6v.1",
	menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
	columns: "M2.5 3h11v10h-11ZM6.2 3v10M9.8 3v10",
	views: "M4.5 2.5h7v11L8 10.8l-3.5 2.7Z",
	external: "M6.5 3.5h-3v9h9v-3M9 3.5h3.5V7M12.3 3.7 7.5 8.5",
	alarm: "M8 2.5a5.5 5.5 0 1 0 .01 0ZM8 5.2v3.3M8 10.6v.1",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon. It says nothing to a screen reader: the words beside it do. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
	return (
		<svg class="icon" viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
			<path d={PATHS[name]} />
		</svg>
	);
}
