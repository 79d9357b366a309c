/** A chart of numbers over time: bars, one upon the other, in the colours of states. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Point } from "../api/types";
import { count, moment } from "../logic/lengths";
import { niceTop } from "../logic/scale";

export interface Layer {
	name: string;
	state: string;
	points: readonly Point[];
}

/** Something that happened at a moment. */
export interface Mark {
	at: number;
	text: string;
}

const HIGH = 132;
const FOOT = 18;

/** The chart, as wide as its place. The pointer reads a bar. */
export function Stacked({
	layers,
	label,
	step,
	marks = [],
}: {
	layers: readonly Layer[];
	label: string;
	step: number;
	marks?: readonly Mark[];
}) {
	const box = useRef<HTMLDivElement>(null);
	const wide = useSignal(600);
	const read = useSignal(-1);
	useEffect(() => {
		const element = box.current;
		if (!element) return;
		const watching = new ResizeObserver(() => {
			wide.value = Math.max(200, element.clientWidth);
		});
		watching.observe(element);
		return () => watching.disconnect();
	}, [wide]);
	const first = layers[0]?.points ?? [];
	const sums = first.map((_, at) =>
		layers.reduce((sum, one) => sum + (one.points[at]?.value ?? 0), 0),
	);
	const top = niceTop(Math.max(1, ...sums));
	const room = HIGH - FOOT;
	const bar = wide.value / Math.max(1, first.length);
	const at = Math.min(read.value, first.length - 1);
	const begin = Date.parse(first[0]?.at ?? "");
	const shown = marks
		.map((one) => ({ ...one, place: (one.at - begin) / 1000 / step }))
		.filter(({ place }) => place >= 0 && place < first.length);
	const told = shown.filter(({ place }) => Math.floor(place) === at);
	return (
		<div class="chart" ref={box}>
			<p class="chart-read">
				{layers.map((one) => (
					<span key={one.name} class={`key s-${one.state}`}>
						<i aria-hidden="true" />
						{at >= 0 ? `${count(one.points[at]?.value ?? 0)} ` : ""}
						{one.name}
					</span>
				))}
				<span class="quiet">
					{at >= 0
						? [clock(first[at]?.at, step), ...told.map((one) => one.text)].join(": ")
						: `up to ${count(top)} in ${words(step)}`}
				</span>
			</p>
			<svg
				viewBox={`0 0 ${wide.value} ${HIGH}`}
				width={wide.value}
				height={HIGH}
				role="img"
				aria-label={[label, ...shown.map((one) => one.text)].join("; ")}
				onPointerMove={(event) => {
					read.value = Math.floor(event.offsetX / bar);
				}}
				onPointerLeave={() => {
					read.value = -1;
				}}
			>
				{[0.5, 1].map((share) => (
					<path
						key={share}
						class="rule"
						d={`M0 ${(room - share * (room - 1)).toFixed(1)}H${wide.value}`}
					/>
				))}
				{at >= 0 && <rect class="band" x={at * bar} y="0" width={bar} height={room} />}
				{layers.map((one, index) => (
					<path
						key={one.name}
						class={`bars s-${one.state}`}
						d={barsOf(layers, index, bar, room, top)}
					/>
				))}
				<path class="base" d={`M0 ${room + 0.5}H${wide.value}`} />
				{shown.map(({ at: when, text, place }, index) => (
					<g key={`${when} ${text}`} class="event">
						<path d={`M${(place * bar).toFixed(1)} 0V${room}`} />
						<text
							x={place * bar + (place * 2 > first.length ? -4 : 4)}
							y={10 + (index % 3) * 12}
							text-anchor={place * 2 > first.length ? "end" : "start"}
						>
							{text}
						</text>
					</g>
				))}
				{ticks(first, wide.value).map(({ x, text }) => (
					<text key={x} x={x} y={HIGH - 4}>
						{text}
					</text>
				))}
			</svg>
		</div>
	);
}

function barsOf(
	layers: readonly Layer[],
	index: number,
	bar: number,
	room: number,
	top: number,
): string {
	const below = layers.slice(0, index);
	const wide = Math.max(1, bar - (bar > 4 ? 1 : 0)).toFixed(1);
	return (layers[index]?.points ?? [])
		.map((point, at) => {
			if (!point.value) return "";
			const base = below.reduce((sum, one) => sum + (one.points[at]?.value ?? 0), 0);
			const high = Math.max(1.5, (point.value / top) * room);
			const from = room - (base / top) * room;
			return `M${(at * bar).toFixed(1)} ${from.toFixed(1)}h${wide}v-${high.toFixed(1)}h-${wide}Z`;
		})
		.join("");
}

function ticks(points: readonly Point[], wide: number): { x: number; text: string }[] {
	const first = points[0];
	const last = points[points.length - 1];
	if (!first || !last) return [];
	const span = (Date.parse(last.at) - Date.parse(first.at)) / 1000;
	const many = Math.max(2, Math.floor(wide / 120));
	const every = Math.ceil(points.length / many);
	return points.flatMap((one, at) => {
		if (at % every || at / points.length > 0.96) return [];
		const told = moment(Date.parse(one.at));
		return {
			x: (at / points.length) * wide,
			text: span > 90_000 ? told.slice(5, 10) : told.slice(11, 16),
		};
	});
}

function clock(at: string | undefined, step: number): string {
	if (!at) return "";
	const told = moment(Date.parse(at));
	return step < 86_400 ? `from ${told.slice(5, 16)}` : told.slice(0, 10);
}

function words(step: number): string {
	if (step < 3600) return step === 60 ? "a minute" : `${step / 60} minutes`;
	return step === 3600 ? "an hour" : `${step / 3600} hours`;
}
