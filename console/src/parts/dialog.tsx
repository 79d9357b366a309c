/** A dialog over the page; Escape closes it, and focus goes back to where it was. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icons";

interface DialogProps {
	title: string;
	close: () => void;
	children: ComponentChildren;
	kind?: "middle" | "top" | "side";
	/** The title is for screen readers only. */
	quiet?: boolean;
}

/** A dialog of the browser's own. */
export function Dialog({ title, close, children, kind = "middle", quiet = false }: DialogProps) {
	const shown = useRef<HTMLDialogElement>(null);
	useEffect(() => {
		const before = document.activeElement as HTMLElement | null;
		shown.current?.showModal();
		return () => before?.focus();
	}, []);
	return (
		<dialog
			ref={shown}
			class={kind}
			aria-label={title}
			onCancel={(event) => {
				event.preventDefault();
				close();
			}}
			onMouseDown={(event) => {
				if (event.target === event.currentTarget) close();
			}}
		>
			<div class="dialog">
				{!quiet && (
					<header>
						<h2>{title}</h2>
						<button type="button" class="ghost" onClick={close}>
							<Icon name="close" />
							<span class="unseen">Close</span>
						</button>
					</header>
				)}
				{children}
			</div>
		</dialog>
	);
}
