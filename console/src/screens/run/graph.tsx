/** A run as boxes and the routes between them, with the state of each step. */
import type { GraphBox, GraphRoute, RunGraph } from "../../api/types";
import { STATES } from "../../logic/states";
import { Canvas } from "../../parts/canvas";
import { StateMark } from "../../parts/state";

interface GraphProps {
	graph: RunGraph;
	/** The id of the box that is chosen. */
	chosen: string | null;
	/** The boxes on the critical path. */
	critical: ReadonlySet<string>;
	choose: (box: GraphBox) => void;
}

/** The drawing; a click on a box chooses its step. */
export function Graph({ graph, chosen, critical, choose }: GraphProps) {
	return (
		<Canvas
			size={graph}
			label={`Steps of ${graph.task}`}
			map={() =>
				[...grouped(graph.boxes, (one) => `map-box t-${one.tone}`)].map(([kind, boxes]) => (
					<path key={kind} class={kind} d={boxes.map(outlineOf).join("")} />
				))
			}
		>
			{(isFar) => (
				<>
					<Routes graph={graph} critical={critical} />
					{graph.boxes.map((one) => (
						<Box
							key={one.id}
							box={one}
							isFar={isFar}
							isChosen={one.id === chosen}
							choose={choose}
						/>
					))}
				</>
			)}
		</Canvas>
	);
}

/** All routes, those of one look as one shape: a large run has very many. */
function Routes({ graph, critical }: Pick<GraphProps, "graph" | "critical">) {
	const ended = new Set(
		graph.boxes.filter((one) => one.state === "succeeded").map((one) => one.id),
	);
	const looks = grouped(graph.routes, (one) => classOf(one, ended, critical));
	return (
		<g class="routes">
			{[...looks].sort().map(([look, routes]) => (
				<path key={look} class={look} d={routes.map(wayOf).join("")} />
			))}
		</g>
	);
}

function grouped<T>(all: readonly T[], by: (one: T) => string): Map<string, T[]> {
	const found = new Map<string, T[]>();
	for (const one of all) {
		const kind = by(one);
		const own = found.get(kind);
		if (own) own.push(one);
		else found.set(kind, [one]);
	}
	return found;
}

function outlineOf({ x, y, width, height }: GraphBox): string {
	return `M${x} ${y}h${width}v${height}h${-width}Z`;
}

function classOf(
	route: GraphRoute,
	ended: ReadonlySet<string>,
	critical: ReadonlySet<string>,
): string {
	const isCritical = critical.has(route.source) && critical.has(route.target);
	return `route${ended.has(route.source) ? " done" : ""}${isCritical ? " critical" : ""}`;
}

/** Curves between rows, and lines straight down through them. */
function wayOf({ points }: GraphRoute): string {
	const [first] = points;
	if (!first) return "";
	let way = `M${first[0]} ${first[1]}`;
	for (let at = 1; at < points.length; at += 1) {
		const [fromX, fromY] = points[at - 1] as [number, number];
		const [toX, toY] = points[at] as [number, number];
		const bend = (fromY + toY) / 2;
		way += at % 2 ? `C${fromX} ${bend} ${toX} ${bend} ${toX} ${toY}` : `V${toY}`;
	}
	return way;
}

interface BoxProps {
	box: GraphBox;
	isFar: boolean;
	isChosen: boolean;
	choose: (box: GraphBox) => void;
}

function Box({ box, isFar, isChosen, choose }: BoxProps) {
	const { x, y, width, height } = box;
	const state = isFar ? undefined : box.state;
	const said = [box.id, box.state, ...box.lines].filter(Boolean).join(", ");
	return (
		<g
			class={`box t-${box.tone}${isFar ? " far" : ""}${isChosen ? " chosen-box" : ""}`}
			role="button"
			tabindex={0}
			aria-label={said}
			aria-pressed={isChosen}
			onClick={() => choose(box)}
			onKeyDown={(event) => {
				if (event.key !== "Enter" && event.key !== " ") return;
				event.preventDefault();
				event.stopPropagation();
				choose(box);
			}}
		>
			<title>{said}</title>
			{box.kind === "branches" &&
				[10, 5].map((lift) => (
					<rect
						key={lift}
						class="behind"
						x={x + lift}
						y={y - lift}
						width={width - 2 * lift}
						height={height}
						rx="6"
					/>
				))}
			<rect class="card-box" x={x} y={y} width={width} height={height} rx="6" />
			{box.kind === "workflow" && !isFar && (
				<path class="sides" d={`M${x + 5} ${y}v${height}M${x + width - 5} ${y}v${height}`} />
			)}
			{state && (
				<svg x={x + 9} y={y + 12} width="14" height="14" overflow="visible">
					<StateMark state={state} />
				</svg>
			)}
			{!isFar && (
				<text class="box-name" x={state ? x + 29 : x + 12} y={y + 24}>
					{box.id}
				</text>
			)}
			{!isFar &&
				box.lines.map((line, at) => (
					<text key={line} class="box-line" x={state ? x + 29 : x + 12} y={y + 41 + at * 16}>
						{line}
					</text>
				))}
			<Strip box={box} />
		</g>
	);
}

/** The parts of a step as a strip: a length for each state. */
function Strip({ box }: { box: GraphBox }) {
	const total = Object.values(box.counts).reduce((sum, one) => sum + (one ?? 0), 0);
	if (!total) return null;
	const wide = box.width - 24;
	let at = box.x + 12;
	return (
		<g>
			{STATES.map((state) => {
				const share = ((box.counts[state] ?? 0) / total) * wide;
				const from = at;
				at += share;
				return share ? (
					<rect
						key={state}
						class={`part s-${state}`}
						x={from}
						y={box.y + box.height - 7}
						width={Math.max(1, share - 0.5)}
						height="3"
					/>
				) : null;
			})}
		</g>
	);
}
