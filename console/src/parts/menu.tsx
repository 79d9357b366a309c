/** A button that opens a list of things to do, or to choose. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface MenuProps {
	label: ComponentChildren;
	title: string;
	children: ComponentChildren;
	ghost?: boolean;
}

/** The button with its list. A click elsewhere and Escape close it; then the button has the focus. */
export function Menu({ label, title, children, ghost = false }: MenuProps) {
	const open = useSignal(false);
	const box = useRef<HTMLDivElement>(null);
	useEffect(() => {
		if (!open.value) return;
		const leave = (event: Event) => {
			const isKey = event instanceof KeyboardEvent;
			if (isKey ? event.key !== "Escape" : box.current?.contains(event.target as globalThis.Node))
				return;
			open.value = false;
			if (isKey) box.current?.querySelector("button")?.focus();
		};
		document.addEventListener("pointerdown", leave);
		document.addEventListener("keydown", leave);
		return () => {
			document.removeEventListener("pointerdown", leave);
			document.removeEventListener("keydown", leave);
		};
	}, [open.value, open]);
	return (
		<div class="has-menu" ref={box}>
			<button
				type="button"
				class={ghost ? "ghost" : ""}
				title={title}
				aria-expanded={open.value}
				aria-haspopup="true"
				onClick={() => {
					open.value = !open.value;
				}}
			>
				{label}
			</button>
			{open.value && (
				<div
					class="menu"
					onClick={(event) => {
						// A link of it leads away.
						if ((event.target as Element).closest("a")) open.value = false;
					}}
				>
					{children}
				</div>
			)}
		</div>
	);
}

/** Several choices of which one holds. */
export function Choice<T extends string>(props: {
	label: string;
	of: readonly T[];
	value: T;
	choose: (value: T) => void;
}) {
	return (
		<div class="choice" role="radiogroup" aria-label={props.label}>
			{props.of.map((one) => (
				<button
					key={one}
					type="button"
					role="radio"
					aria-checked={one === props.value}
					onClick={() => props.choose(one)}
				>
					{one}
				</button>
			))}
		</div>
	);
}
