/** A button that copies a text, also where the page did not come over HTTPS. */
import { useSignal } from "@preact/signals";
import { Icon } from "./icons";

async function copy(text: string): Promise<void> {
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		const area = document.createElement("textarea");
		area.value = text;
		area.className = "unseen";
		document.body.append(area);
		area.select();
		document.execCommand("copy");
		area.remove();
	}
}

/** The button; it says for a moment that it has copied. */
export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
	const done = useSignal(false);
	return (
		<button
			type="button"
			class="ghost tiny"
			title={label}
			onClick={(event) => {
				event.stopPropagation();
				void copy(text);
				done.value = true;
				setTimeout(() => {
					done.value = false;
				}, 1500);
			}}
		>
			<Icon name="copy" size={13} />
			<span class={done.value ? "" : "unseen"} role="status">
				{done.value ? "Copied" : ""}
			</span>
			<span class="unseen">{label}</span>
		</button>
	);
}

/** A line to copy, as empty states have. */
export function CopyLine({ text }: { text: string }) {
	return (
		<div class="copy-line">
			<code>{text}</code>
			<Copy text={text} />
		</div>
	);
}
