/** The shape of a workflow: how many steps there are in each level. */
import { count } from "./lengths";

const MOST = 12;
const LEAST = 4; // pixels: of a level of one step

/** Returns how high each level is drawn. Of many levels those beside each other are one, as high as the widest. */
export function shapeOf(levels: readonly number[], high: number): number[] {
	const each = Math.max(1, Math.ceil(levels.length / MOST));
	const shown: number[] = [];
	for (let at = 0; at < levels.length; at += each)
		shown.push(Math.max(...levels.slice(at, at + each)));
	const most = Math.max(...shown, high / LEAST);
	return shown.map((one) => Math.max(LEAST, (one / most) * high));
}

/** Returns the same in words: `7 steps, 3 levels`. */
export function shapeWords(steps: number, levels: readonly number[]): string {
	const some = (number: number, word: string) =>
		`${count(number)} ${word}${number === 1 ? "" : "s"}`;
	return `${some(steps, "step")}, ${some(levels.length, "level")}`;
}
