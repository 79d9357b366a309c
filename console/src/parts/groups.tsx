/** A list of groups in which no group moves while somebody is about to press it. */
import type { ComponentChildren } from "preact";
import { useReducer, useRef } from "preact/hooks";
import { inPlace } from "../logic/order";

interface Counted {
	count: number;
	exact: boolean;
}

interface GroupsProps<T extends Counted> {
	of: readonly T[];
	idOf: (group: T) => unknown;
	/** Returns a row. After a verb of its own, `anew` shows the groups as they are. */
	children: (group: T, anew: () => void) => ComponentChildren;
}

/** The list. It keeps its order while the pointer or the focus is in it. */
export function Groups<T extends Counted>({ of, idOf, children }: GroupsProps<T>) {
	const [, draw] = useReducer((times: number) => times + 1, 0);
	const box = useRef<HTMLUListElement>(null);
	const here = useRef({ hovered: false, changes: false, seen: of, shown: of }).current;
	if (of !== here.seen && here.changes) here.shown = of;
	else if (!here.hovered && !box.current?.matches(":focus-within")) here.shown = of;
	else if (of !== here.seen)
		here.shown = inPlace(here.shown, of, idOf, (one) => ({ ...one, count: 0, exact: true }));
	if (of !== here.seen) here.changes = false;
	here.seen = of;
	const hover = (isIn: boolean) => {
		here.hovered = isIn;
		if (!isIn) draw(0);
	};
	const anew = () => {
		here.shown = here.seen;
		here.changes = true; // what the verb changed is read after it
		draw(0);
	};
	return (
		<ul
			ref={box}
			class="groups card"
			onPointerEnter={(event) => hover(event.pointerType === "mouse")}
			onPointerLeave={() => hover(false)}
			onFocusOut={() => requestAnimationFrame(() => draw(0))}
		>
			{here.shown.map((one) => children(one, anew))}
		</ul>
	);
}
