/** A dialog over the page; Escape closes it, and focus goes back to where it was. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { giveBack } from "./focus";
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
	useLayoutEffect(() => {
		const before = document.activeElement as HTMLElement | null;
		const dialog = shown.current;
		dialog?.showModal();
		// What is to be typed into; else the dialog itself, so that no button is pressed by chance.
		const first = dialog?.querySelector<HTMLElement>("[data-focus]") ?? dialog?.firstElementChild;
		(first as HTMLElement | null)?.focus();
		return () => {
			// While the dialog is open, nothing outside of it takes focus.
			dialog?.close();
			giveBack(before);
		};
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
			<div class="dialog" tabIndex={-1}>
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
