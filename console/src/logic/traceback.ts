/** A traceback of Python as frames: those of the user's code, and those of libraries. */

export interface Frame {
	file: string;
	line: number;
	name: string;
	code: string;
	isLibrary: boolean;
}

/** Frames of one kind after each other, or lines that are none. */
export type Part = { frames: Frame[]; isLibrary: boolean } | { text: string };

const FRAME = /^\s*File "(.+)", line (\d+)(?:, in (.+))?$/;
const LIBRARY = /site-packages|dist-packages|[\\/]lib[\\/]python3|^<frozen|[\\/]rotulus[\\/]_/;
const MARKS = /^\s*[\^~]+\s*$/;

/** Returns the parts of a traceback, in its order. */
export function parts(traceback: string): Part[] {
	const found: Part[] = [];
	let frame: Frame | undefined;
	for (const line of traceback.split("\n")) {
		const at = FRAME.exec(line);
		if (at) {
			const file = at[1] as string;
			frame = {
				file,
				line: Number(at[2]),
				name: at[3] ?? "",
				code: "",
				isLibrary: LIBRARY.test(file),
			};
			const last = found[found.length - 1];
			if (last && "frames" in last && last.isLibrary === frame.isLibrary) last.frames.push(frame);
			else found.push({ frames: [frame], isLibrary: frame.isLibrary });
		} else if (frame && line.startsWith("    ")) {
			if (!MARKS.test(line)) frame.code += (frame.code && "\n") + line.trim();
		} else if (line.trim()) {
			frame = undefined;
			found.push({ text: line });
		}
	}
	return found;
}

/** Returns a path without what is the same for all files of an installation. */
export function shortPath(file: string): string {
	return file
		.replace(/^.*(?:site-packages|dist-packages)[\\/]/, "")
		.replace(/^.*[\\/](lib[\\/]python3)/, "$1");
}
