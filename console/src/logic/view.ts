/** The part of a large drawing that is shown: moved, made larger and smaller, kept in bounds. */

export interface Size {
	width: number;
	height: number;
}

/** The corner of a drawing that is at the corner of its place, and the pixels of a unit. */
export interface View {
	x: number;
	y: number;
	scale: number;
}

const LARGEST = 2;
const SMALLEST = 0.1;
const AROUND = 16;

/** Returns the view that shows all of a drawing, in the middle, at its own size at most. */
export function fitted(drawing: Size, place: Size): View {
	const scale = Math.max(
		SMALLEST,
		Math.min(
			1,
			(place.width - 2 * AROUND) / drawing.width,
			(place.height - 2 * AROUND) / drawing.height,
		),
	);
	return {
		scale,
		x: (drawing.width - place.width / scale) / 2,
		y: (drawing.height - place.height / scale) / 2,
	};
}

/** Returns a view moved by pixels of its place. */
export function moved(view: View, right: number, down: number): View {
	return { ...view, x: view.x + right / view.scale, y: view.y + down / view.scale };
}

/** Returns a view made larger by a factor, about a point of its place. */
export function zoomed(view: View, by: number, atX: number, atY: number): View {
	const scale = Math.min(LARGEST, Math.max(SMALLEST, view.scale * by));
	return {
		scale,
		x: view.x + atX / view.scale - atX / scale,
		y: view.y + atY / view.scale - atY / scale,
	};
}

/** Returns a view that shows at least a part of the drawing. */
export function kept(view: View, drawing: Size, place: Size): View {
	const wide = place.width / view.scale;
	const high = place.height / view.scale;
	const within = (at: number, size: number, seen: number) =>
		Math.max(
			Math.min(-seen / 2, (size - seen) / 2),
			Math.min(at, Math.max(size - seen / 2, (size - seen) / 2)),
		);
	return {
		scale: view.scale,
		x: within(view.x, drawing.width, wide),
		y: within(view.y, drawing.height, high),
	};
}

/** Whether all of a drawing is in a view. */
export function showsAll(view: View, drawing: Size, place: Size): boolean {
	return (
		view.x <= 0 &&
		view.y <= 0 &&
		view.x + place.width / view.scale >= drawing.width &&
		view.y + place.height / view.scale >= drawing.height
	);
}
