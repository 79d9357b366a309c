/** A place for a large drawing: moved by drag and arrows, zoomed by wheel, keys and buttons. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { fitted, kept, moved, type Size, showsAll, type View, zoomed } from "../logic/view";

interface CanvasProps {
	/** The size of the drawing, in its own units. */
	size: Size;
	label: string;
	/** Returns the drawing, as SVG; seen from far, where no text of it could be read. */
	children: (isFar: boolean) => ComponentChildren;
	/** Returns the same, as a few shapes, for the small map. */
	map: () => ComponentChildren;
}

const MAP = 120;
const FRAME = 5; // the border and the padding of the small map
const STEP = 60;
const ZOOM = 1.25;
const FAR = 0.4; // pixels of a unit; text of 13 units has five of them
const ARROWS: Record<string, [number, number]> = {
	ArrowLeft: [-STEP, 0],
	ArrowRight: [STEP, 0],
	ArrowUp: [0, -STEP],
	ArrowDown: [0, STEP],
};

/** The place. The small map is there while a part of the drawing is out of sight. */
export function Canvas({ size, label, children, map }: CanvasProps) {
	const box = useRef<HTMLDivElement>(null);
	const place = useSignal<Size>({ width: 800, height: 360 });
	const chosen = useSignal<View | undefined>(undefined);
	const pointers = useRef(new Map<number, { x: number; y: number }>());
	useLayoutEffect(() => {
		const element = box.current;
		if (!element) return;
		const look = () => {
			place.value = { width: element.clientWidth, height: element.clientHeight };
		};
		const watching = new ResizeObserver(look);
		watching.observe(element);
		look();
		// A listener of Preact's would be passive: the page would scroll, too.
		const wheel = (event: WheelEvent) => {
			if (!event.ctrlKey && !event.metaKey) return;
			event.preventDefault();
			const at = element.getBoundingClientRect();
			zoom(Math.exp(-event.deltaY / 200), event.clientX - at.left, event.clientY - at.top);
		};
		element.addEventListener("wheel", wheel, { passive: false });
		return () => {
			watching.disconnect();
			element.removeEventListener("wheel", wheel);
		};
	}, [place]);
	const view = chosen.value ?? fitted(size, place.value);
	const now = useRef(view);
	now.current = view;
	const show = (next: View) => {
		chosen.value = kept(next, size, place.value);
	};
	function zoom(by: number, x = place.value.width / 2, y = place.value.height / 2): void {
		show(zoomed(now.current, by, x, y));
	}
	const onKeyDown = (event: KeyboardEvent) => {
		const arrow = ARROWS[event.key];
		if (arrow) show(moved(view, ...arrow));
		else if (event.key === "+" || event.key === "=") zoom(ZOOM);
		else if (event.key === "-") zoom(1 / ZOOM);
		else if (event.key === "0") chosen.value = undefined;
		else return;
		event.preventDefault();
	};
	const onPointerMove = (event: PointerEvent) => {
		const before = pointers.current.get(event.pointerId);
		if (!before) return;
		const here = { x: event.clientX, y: event.clientY };
		const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
		pointers.current.set(event.pointerId, here);
		if (other) {
			const by = Math.hypot(here.x - other.x, here.y - other.y);
			const was = Math.hypot(before.x - other.x, before.y - other.y) || 1;
			const at = (event.currentTarget as Element).getBoundingClientRect();
			zoom(by / was, (here.x + other.x) / 2 - at.left, (here.y + other.y) / 2 - at.top);
		} else {
			show(moved(now.current, before.x - here.x, before.y - here.y));
		}
	};
	const { width, height } = place.value;
	const isFar = view.scale < FAR;
	const drawing = useMemo(() => children(isFar), [children, isFar]);
	const overview = useMemo(map, [map]);
	return (
		<div class="canvas">
			<div
				ref={box}
				class="canvas-box"
				role="group"
				aria-label={`${label}. Arrows move it, plus and minus change its size, 0 shows all of it.`}
				tabIndex={0}
				onKeyDown={onKeyDown}
				onPointerDown={(event) => {
					if (event.button) return;
					pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
				}}
				onPointerMove={onPointerMove}
				onPointerUp={(event) => pointers.current.delete(event.pointerId)}
				onPointerLeave={(event) => pointers.current.delete(event.pointerId)}
				onPointerCancel={(event) => pointers.current.delete(event.pointerId)}
			>
				<svg
					width={width}
					height={height}
					viewBox={`${view.x} ${view.y} ${width / view.scale} ${height / view.scale}`}
				>
					{drawing}
				</svg>
			</div>
			<div class="canvas-tools">
				<button type="button" class="ghost" title="Larger (+)" onClick={() => zoom(ZOOM)}>
					+<span class="unseen"> Larger</span>
				</button>
				<button type="button" class="ghost" title="Smaller (−)" onClick={() => zoom(1 / ZOOM)}>
					−<span class="unseen"> Smaller</span>
				</button>
				<button
					type="button"
					class="ghost"
					title="All of it (0)"
					onClick={() => {
						chosen.value = undefined;
					}}
				>
					Fit
				</button>
			</div>
			{!showsAll(view, size, place.value) && (
				<SmallMap size={size} view={view} place={place.value} show={show}>
					{overview}
				</SmallMap>
			)}
		</div>
	);
}

interface MapProps {
	size: Size;
	view: View;
	place: Size;
	show: (view: View) => void;
	children: ComponentChildren;
}

/** All of a drawing, small, with what is in sight; a click or a drag moves there, as keys of the drawing do. */
function SmallMap({ size, view, place, show, children }: MapProps) {
	const corner = useRef({ left: 0, top: 0 });
	const scale = Math.min(MAP / size.width, MAP / size.height);
	const wide = place.width / view.scale;
	const high = place.height / view.scale;
	const go = ({ clientX, clientY }: PointerEvent) => {
		const x = (clientX - corner.current.left) / scale;
		const y = (clientY - corner.current.top) / scale;
		show({ ...view, x: x - wide / 2, y: y - high / 2 });
	};
	return (
		<svg
			class="small-map"
			aria-hidden="true"
			width={size.width * scale}
			height={size.height * scale}
			viewBox={`0 0 ${size.width} ${size.height}`}
			onPointerDown={(event) => {
				if (event.button) return;
				event.currentTarget.setPointerCapture(event.pointerId);
				const { left, top } = event.currentTarget.getBoundingClientRect();
				corner.current = { left: left + FRAME, top: top + FRAME };
				go(event);
			}}
			onPointerMove={(event) => {
				if (event.currentTarget.hasPointerCapture(event.pointerId)) go(event);
			}}
		>
			{children}
			<rect class="in-sight" x={view.x} y={view.y} width={wide} height={high} />
		</svg>
	);
}
