/** Views of the list under a name, and the columns that are shown. */
import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import {
	BUILT_IN,
	columnsIn,
	isShown,
	LONGEST,
	readViews,
	shownIn,
	type View,
	withView,
} from "../../logic/views";
import { Icon } from "../../parts/icons";
import { Menu } from "../../parts/menu";
import { href, params, setParams } from "../../place";
import { jobColumns, jobViews, keeps, readKept } from "../../preferences";
import { tell } from "../../shell/toasts";
import { COLUMNS } from "./columns";

const KNOWN = COLUMNS.map((one) => one.name);

/** Returns the names of the columns: those of the address, or else those that were chosen last. */
export function shownColumns(): string {
	return columnsIn([params.value.get("columns"), jobColumns.value], KNOWN);
}

/** The menu of columns. */
export function Columns() {
	const names = shownColumns().split(",");
	return (
		<Menu
			title="Columns of the table"
			label={
				<>
					<Icon name="columns" />
					<span class="wide">Columns</span>
				</>
			}
		>
			{COLUMNS.map((one) => (
				<label key={one.name} class="menu-item">
					<input
						type="checkbox"
						checked={names.includes(one.name)}
						disabled={one.name === "task"}
						onChange={(event) => {
							const next = new Set(names);
							if (event.currentTarget.checked) next.add(one.name);
							else next.delete(one.name);
							const columns = [...next].join(",");
							// Those of a link, or of a view, are not what was chosen for every list.
							if (names.join(",") === columnsIn([jobColumns.value], KNOWN))
								jobColumns.value = columns;
							setParams({ columns }, false);
						}}
					/>
					{one.title}
				</label>
			))}
		</Menu>
	);
}

/** The views of this browser with a change to what it has now, whatever another tab has done. */
function keep(change: (views: View[]) => View[]): void {
	readKept();
	jobViews.value = JSON.stringify(change(readViews(jobViews.value)));
}

/** Puts back a view that was deleted or replaced. */
function putBack(view: View, isDeleted: boolean): void {
	keep((views) =>
		isDeleted && views.some((one) => one.name === view.name)
			? views
			: withView(views, view.name, view),
	);
}

/** The menu of views: one is chosen, and the one that is shown is given a name. */
export function Views() {
	return (
		<Menu
			title="Views of the list"
			label={
				<>
					<Icon name="views" />
					<span class="wide">Views</span>
				</>
			}
		>
			<Named />
		</Menu>
	);
}

function Named() {
	const renamed = useSignal<View | null>(null);
	const name = useSignal("");
	const field = useRef<HTMLInputElement | null>(null);
	const own = readViews(jobViews.value);
	const shown = { columns: shownColumns(), ...shownIn(params.value) };
	const begin = (view: View | null) => {
		renamed.value = view;
		name.value = view?.name ?? "";
		field.current?.focus();
	};
	const current = (one: View) => (isShown(one, shown) ? "true" : undefined);
	return (
		<>
			{BUILT_IN.map((one) => (
				<a
					key={one.name}
					class="menu-item"
					href={href("jobs", one.says)}
					aria-current={current(one)}
				>
					{one.name}
				</a>
			))}
			<p class="caption">Yours</p>
			{own.map((one) => (
				<div key={one.name} class="menu-item">
					<a class="cut" href={href("jobs", one.says)} title={one.name} aria-current={current(one)}>
						{one.name}
					</a>
					<span class="gap" />
					<button
						type="button"
						class="link"
						aria-label={`Rename ${one.name}`}
						onClick={() => begin(one)}
					>
						Rename
					</button>
					<button
						type="button"
						class="ghost tiny"
						aria-label={`Delete ${one.name}`}
						onClick={() => {
							begin(null);
							keep((views) => withView(views, one.name, null));
							tell(`The view ${one.name} is deleted.`, () => putBack(one, true));
						}}
					>
						<Icon name="close" size={12} />
					</button>
				</div>
			))}
			<NameForm
				name={name}
				renamed={renamed.value}
				leave={() => begin(null)}
				says={shown}
				isFirst={!own.length}
				field={field}
			/>
		</>
	);
}

interface NameFormProps {
	name: Signal<string>;
	/** The view that gets another name; null: the one that is shown gets one. */
	renamed: View | null;
	leave: () => void;
	says: Record<string, string>;
	isFirst: boolean;
	field: RefObject<HTMLInputElement | null>;
}

/** The form for a name. A name that another view has is refused, or replaces that view if asked again. */
function NameForm({ name, renamed, leave, says, isFirst, field }: NameFormProps) {
	const taken = useSignal("");
	const isTaken = taken.value !== "" && taken.value === name.value.trim();
	const mayReplace = isTaken && !renamed && !BUILT_IN.some((one) => one.name === taken.value);
	useLayoutEffect(() => {
		taken.value = "";
		if (renamed) field.current?.select();
	}, [renamed]);
	const save = (event: Event) => {
		event.preventDefault();
		const made = name.value.trim();
		readKept();
		const was = [...BUILT_IN, ...readViews(jobViews.value)].find((one) => one.name === made);
		if (!made) return;
		if (was && was.name !== renamed?.name && !mayReplace) {
			taken.value = made;
			return;
		}
		const view = { name: made, says: renamed?.says ?? says };
		keep((views) => withView(views, renamed?.name ?? made, view));
		if (renamed) tell(`The view ${renamed.name} is now ${made}.`);
		else if (was) tell(`The view ${made} is replaced.`, () => putBack(was, false));
		else tell(`The view ${made} is saved.`);
		taken.value = "";
		leave();
	};
	return (
		<form class="menu-form" onSubmit={save}>
			{isFirst && (
				<p class="quiet">
					What you look for, the grouping and the columns make a view. Give this one a name:
				</p>
			)}
			<input
				ref={field}
				aria-label="Name of the view"
				aria-invalid={isTaken}
				placeholder="A name for this view"
				required
				maxLength={LONGEST}
				value={name.value}
				onInput={(event) => {
					name.value = event.currentTarget.value;
				}}
			/>
			<button type="submit">{renamed ? "Rename" : mayReplace ? "Replace" : "Save"}</button>
			{renamed && (
				<button type="button" class="ghost" onClick={leave}>
					Cancel
				</button>
			)}
			{isTaken && (
				<p class="wrong" role="alert">
					There is a view of this name. Give another one{mayReplace && ", or replace that view"}.
				</p>
			)}
			<p class="quiet">
				{keeps.value
					? "This browser keeps it. The address of the page shows it to others."
					: "This browser keeps nothing: views are gone with the page. Its address stays good."}
			</p>
		</form>
	);
}
