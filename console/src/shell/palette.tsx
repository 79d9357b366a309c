/** The palette: goes to anything by its name or id, and does anything. */
import { useSignal } from "@preact/signals";
import { readAll, useData } from "../api/cache";
import type { Job, Queues, TaskInfo } from "../api/types";
import { paused } from "../live/switch";
import { rank } from "../logic/rank";
import { BUILT_IN, readViews } from "../logic/views";
import { Dialog } from "../parts/dialog";
import { Icon, type IconName } from "../parts/icons";
import { go, href } from "../place";
import { jobViews, theme } from "../preferences";
import { PLACES } from "../screens";

interface Item {
	label: string;
	says: string;
	icon: IconName;
	run: () => void;
}

const ID = /^[0-9a-f]{8}-?[0-9a-f-]*$/i;

function places(): Item[] {
	return PLACES.map((one) => ({
		label: one.title,
		says: `g ${one.key}`,
		icon: one.icon ?? "jobs",
		run: () => go(href(one.path)),
	}));
}

function views(): Item[] {
	return [...BUILT_IN, ...readViews(jobViews.value)].map(({ name, says }) => ({
		label: name,
		says: "view",
		icon: "views",
		run: () => go(href("jobs", says)),
	}));
}

function commands(): Item[] {
	return [
		{
			label: paused.value ? "Follow what happens again" : "Pause the page",
			says: "p",
			icon: paused.value ? "play" : "pause",
			run: () => {
				paused.value = !paused.value;
			},
		},
		{ label: "Read everything again", says: "u", icon: "retry", run: readAll },
		...(["light", "dark", "system"] as const).map((one) => ({
			label: `Theme: ${one}`,
			says: "",
			icon: (one === "dark" ? "moon" : "sun") as IconName,
			run: () => {
				theme.value = one;
			},
		})),
	];
}

/** Returns what a text finds, the best first. */
function useItems(text: string): Item[] {
	const tasks = useData<TaskInfo[]>("tasks").data.value ?? [];
	const queues = useData<Queues>("queues", { topics: ["queues"] }).data.value?.items ?? [];
	const job = useData<Job>(ID.test(text) ? `jobs/${text.toLowerCase()}` : null).data.value;
	const q = (name: string) => href("jobs", { q: name });
	const all: Item[] = [
		...places(),
		...commands(),
		...views(),
		...tasks.map(({ name }) => ({
			label: name,
			says: "task",
			icon: "tasks" as const,
			run: () => go(href(`tasks/${encodeURIComponent(name)}`)),
		})),
		...queues.map(({ name }) => ({
			label: name,
			says: "jobs of the queue",
			icon: "queues" as const,
			run: () => go(q(`queue:${name}`)),
		})),
	];
	const found = rank(all, text, (one) => one.label).slice(0, 30);
	const byId = (job ? [job] : []).map((job) => ({
		label: job.id,
		says: `${job.task}, ${job.state}`,
		icon: "jobs" as const,
		run: () => go(href(`jobs/${job.id}`)),
	}));
	const search: Item = {
		label: `Jobs that match ${text}`,
		says: "search",
		icon: "search",
		run: () => go(q(text)),
	};
	return [...byId, ...found, ...(text ? [search] : [])];
}

/** The palette. */
export function Palette({ close }: { close: () => void }) {
	const text = useSignal("");
	const at = useSignal(0);
	const items = useItems(text.value.trim());
	const picked = Math.min(at.value, items.length - 1);
	const take = (item: Item | undefined) => {
		if (!item) return;
		close();
		item.run();
	};
	const onKeyDown = (event: KeyboardEvent) => {
		const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
		if (step) {
			event.preventDefault();
			at.value = (picked + step + items.length) % items.length;
		} else if (event.key === "Enter") {
			event.preventDefault();
			take(items[picked]);
		}
	};
	return (
		<Dialog title="Go to anything" kind="top" quiet close={close}>
			<div class="palette">
				<div class="palette-input">
					<Icon name="search" />
					<input
						role="combobox"
						aria-label="Go to anything, do anything"
						aria-expanded="true"
						aria-controls="palette-items"
						aria-activedescendant={`palette-${picked}`}
						placeholder="A screen, a task, a queue, an id, a command"
						autocomplete="off"
						spellcheck={false}
						data-focus
						value={text.value}
						onInput={(event) => {
							text.value = event.currentTarget.value;
							at.value = 0;
						}}
						onKeyDown={onKeyDown}
					/>
					<kbd>Esc</kbd>
				</div>
				<ul id="palette-items" role="listbox" aria-label="Found">
					{items.map((one, index) => (
						<li
							key={`${one.label} ${one.says}`}
							id={`palette-${index}`}
							role="option"
							aria-selected={index === picked}
							class={index === picked ? "picked" : ""}
							ref={(element) => {
								if (index === picked) element?.scrollIntoView({ block: "nearest" });
							}}
							onPointerMove={() => {
								at.value = index;
							}}
							onClick={() => take(one)}
						>
							<Icon name={one.icon} />
							<span class="cut">{one.label}</span>
							<span class="quiet">{one.says}</span>
						</li>
					))}
				</ul>
			</div>
		</Dialog>
	);
}
