/** The log lines of a job: followed while it runs, by level. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get, withQuery } from "../../api/client";
import type { Problem } from "../../api/problem";
import type { LogLine, LogLines, WholeJob } from "../../api/types";
import { isLive, paused } from "../../live/switch";
import { moment } from "../../logic/lengths";
import { hasEnded } from "../../logic/states";
import { Choice } from "../../parts/menu";
import { Refusal, Section } from "../../parts/page";
import { inZones } from "../../parts/when";

const AT_ONCE = 500; // the most that a page of the API has
const MOST = 10_000; // lines that are kept on the page
const EVERY = 1500;
const LEVELS = ["debug", "info", "warning", "error"] as const;

type Level = (typeof LEVELS)[number];

/** The lines, and the choice of the least level. */
export function Log({ job }: { job: WholeJob }) {
	const level = useSignal<Level>("debug");
	const { lines, problem } = useLines(job, level.value);
	const end = useRef<HTMLDivElement>(null);
	const isAtEnd = useRef(true);
	useEffect(() => {
		const box = end.current;
		if (box && isAtEnd.current && !hasEnded(job.state)) box.scrollTop = box.scrollHeight;
	}, [lines.length, job.state]);
	if (!lines.length && !problem && level.value === "debug" && hasEnded(job.state)) return null;
	return (
		<Section
			title="Log"
			beside={
				<Choice
					label="Least level"
					of={LEVELS}
					value={level.value}
					choose={(one) => {
						level.value = one;
					}}
				/>
			}
		>
			{problem && <Refusal problem={problem} />}
			<div
				class="log"
				ref={end}
				role="log"
				tabIndex={0}
				aria-label="Log lines"
				onScroll={(event) => {
					const box = event.currentTarget;
					isAtEnd.current = box.scrollTop + box.clientHeight > box.scrollHeight - 24;
				}}
			>
				{lines.map((one) => (
					<div key={one.cursor} class={`log-line l-${one.level}`}>
						<time title={`${inZones(Date.parse(one.at))}\nattempt ${one.attempt}`}>
							{moment(Date.parse(one.at), undefined, true).slice(11)}
						</time>
						<span class="level">{one.level}</span>
						<span class="text">
							{one.logger && <span class="quiet">{one.logger} </span>}
							{one.text}
						</span>
					</div>
				))}
				{!lines.length && <p class="quiet">Nothing logged so far.</p>}
			</div>
		</Section>
	);
}

function useLines(job: WholeJob, level: Level) {
	const lines = useSignal<readonly LogLine[]>([]);
	const problem = useSignal<Problem | undefined>(undefined);
	const runs = !hasEnded(job.state);
	const isPaused = paused.value;
	useEffect(() => {
		lines.value = [];
	}, [job.id, level]);
	useEffect(() => {
		let timer = 0;
		let over = false;
		const look = async () => {
			const after = lines.peek().at(-1)?.cursor;
			const path = withQuery(`jobs/${job.id}/$logs`, { after, level, limit: AT_ONCE });
			try {
				const found = (await get<LogLines>(path)).data.items;
				if (over) return;
				problem.value = undefined;
				if (found.length) lines.value = [...lines.peek(), ...found].slice(-MOST);
				if (found.length === AT_ONCE) return void look();
			} catch (error) {
				problem.value = error as Problem;
			}
			if (runs && !over && isLive()) timer = window.setTimeout(() => void look(), EVERY);
		};
		void look();
		return () => {
			over = true;
			clearTimeout(timer);
		};
	}, [job.id, level, runs, isPaused, lines, problem]);
	return { lines: lines.value, problem: problem.value };
}
