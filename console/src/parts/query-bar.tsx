/** The bar in which jobs are looked for: words with suggestions, said in the address. */
import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { useKeys } from "../keys";
import { type Known, parse, type Suggestion, suggest } from "../logic/query";
import { Icon } from "./icons";

interface QueryBarProps {
	value: string;
	change: (text: string) => void;
	/** What is suggested. */
	known: Known;
	label: string;
	placeholder: string;
}

/** The bar; `/` goes there, Enter looks, Escape leaves. */
export function QueryBar({ value, change, known, label, placeholder }: QueryBarProps) {
	const input = useRef<HTMLInputElement>(null);
	const typed = useSignal<string | null>(null);
	const cursor = useSignal(0);
	const picked = useSignal(-1);
	const open = useSignal(false);
	const text = typed.value ?? value;
	const found = open.value ? suggest(text, cursor.value, known) : [];
	// What is still being typed is not wrong yet.
	const isTyped = (end: number) => open.value && end === cursor.value;
	const wrong = parse(text).find((one) => one.wrong && !isTyped(one.end));
	useKeys(
		useMemo(
			() => [
				{
					keys: "/",
					does: "Search",
					run: () => {
						input.current?.focus();
						input.current?.select();
					},
				},
			],
			[],
		),
	);

	const look = (next: string) => {
		typed.value = null;
		open.value = false;
		picked.value = -1;
		change(next.trim());
	};
	const take = (one: Suggestion) => {
		typed.value = one.text;
		cursor.value = one.cursor;
		picked.value = -1;
		if (one.text.endsWith(" ")) {
			// A value is complete: it counts at once.
			change(one.text.trim());
		}
		requestAnimationFrame(() => input.current?.setSelectionRange(one.cursor, one.cursor));
	};
	const onKeyDown = (event: KeyboardEvent) => {
		const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
		const chosen = found[picked.value];
		if (step && found.length) {
			event.preventDefault();
			picked.value = (picked.value + step + found.length + 1) % (found.length + 1);
			if (picked.value === found.length) picked.value = -1;
		} else if ((event.key === "Enter" || event.key === "Tab") && chosen) {
			event.preventDefault();
			take(chosen);
		} else if (event.key === "Enter") {
			look(text);
			input.current?.blur(); // so that keys go to the rows
		} else if (event.key === "Escape") {
			event.preventDefault();
			if (open.value) open.value = false;
			else input.current?.blur();
		}
	};
	const follow = (event: { currentTarget: HTMLInputElement }) => {
		cursor.value = event.currentTarget.selectionStart ?? 0;
	};
	return (
		<search class="query-bar">
			<Icon name="search" />
			<input
				ref={input}
				type="text"
				role="combobox"
				aria-label={label}
				aria-expanded={found.length > 0}
				aria-controls="suggestions"
				aria-activedescendant={picked.value >= 0 ? `suggestion-${picked.value}` : undefined}
				aria-invalid={!!wrong}
				autocomplete="off"
				autocapitalize="off"
				spellcheck={false}
				placeholder={placeholder}
				value={text}
				onInput={(event) => {
					typed.value = event.currentTarget.value;
					follow(event);
					open.value = true;
					picked.value = -1;
				}}
				onFocus={(event) => {
					follow(event);
					open.value = true;
				}}
				onKeyUp={follow}
				onClick={follow}
				onBlur={() => {
					open.value = false;
				}}
				onKeyDown={onKeyDown}
			/>
			{wrong && <span class="wrong">{wrong.wrong}</span>}
			{text && (
				<button type="button" class="ghost tiny" onClick={() => look("")}>
					<Icon name="close" size={12} />
					<span class="unseen">Clear</span>
				</button>
			)}
			<kbd>/</kbd>
			<ul
				id="suggestions"
				role="listbox"
				class={found.length ? "menu" : "unseen"}
				aria-label="Suggestions"
			>
				{found.map((one, at) => (
					<li
						key={one.label}
						id={`suggestion-${at}`}
						role="option"
						aria-selected={at === picked.value}
						class={at === picked.value ? "picked" : ""}
						onMouseDown={(event) => event.preventDefault()}
						onClick={() => take(one)}
					>
						<code>{one.label}</code>
						<span class="quiet">{one.says}</span>
					</li>
				))}
			</ul>
		</search>
	);
}
