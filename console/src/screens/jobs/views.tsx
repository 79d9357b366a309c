/** Views of the list under a name, and the columns that are shown. */
import { useSignal } from "@preact/signals";
import { BUILT_IN, readViews, shownIn, withView } from "../../logic/views";
import { Icon } from "../../parts/icons";
import { Menu } from "../../parts/menu";
import { href, params, setParams } from "../../place";
import { jobColumns, jobViews, keeps } from "../../preferences";
import { COLUMNS } from "./columns";

/** Returns the names of the columns: those of the address, or else those that were chosen last. */
export function shownColumns(): string {
	return params.value.get("columns") ?? jobColumns.value;
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
							jobColumns.value = [...next].join(",");
							setParams({ columns: jobColumns.value }, false);
						}}
					/>
					{one.title}
				</label>
			))}
		</Menu>
	);
}

/** The menu of views: one is chosen, and the one that is shown is given a name. */
export function Views() {
	const renamed = useSignal<string | null>(null);
	const name = useSignal("");
	const own = readViews(jobViews.value);
	const keep = (next: typeof own) => {
		jobViews.value = JSON.stringify(next);
		renamed.value = null;
		name.value = "";
	};
	const save = (event: Event) => {
		event.preventDefault();
		const made = name.value.trim();
		const was = own.find((one) => one.name === renamed.value);
		const says = was?.says ?? { columns: shownColumns(), ...shownIn(params.value) };
		if (made) keep(withView(own, was?.name ?? made, { name: made, says }));
	};
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
			{BUILT_IN.map((one) => (
				<a key={one.name} class="menu-item" href={href("jobs", one.says)}>
					{one.name}
				</a>
			))}
			<p class="caption">Yours</p>
			{own.map((one) => (
				<div key={one.name} class="menu-item">
					<a class="cut" href={href("jobs", one.says)}>
						{one.name}
					</a>
					<span class="gap" />
					<button
						type="button"
						class="link"
						aria-label={`Rename ${one.name}`}
						onClick={() => {
							renamed.value = name.value = one.name;
						}}
					>
						Rename
					</button>
					<button
						type="button"
						class="ghost tiny"
						aria-label={`Delete ${one.name}`}
						onClick={() => keep(withView(own, one.name, null))}
					>
						<Icon name="close" size={12} />
					</button>
				</div>
			))}
			<form class="menu-form" onSubmit={save}>
				{!own.length && (
					<p class="quiet">
						What you look for, the grouping and the columns make a view. Give this one a name:
					</p>
				)}
				<input
					aria-label="Name of the view"
					placeholder="A name for this view"
					required
					maxLength={60}
					value={name.value}
					onInput={(event) => {
						name.value = event.currentTarget.value;
					}}
				/>
				<button type="submit">{renamed.value === null ? "Save" : "Rename"}</button>
				<p class="quiet">
					{keeps.value
						? "This browser keeps it. The address of the page shows it to others."
						: "This browser keeps nothing: views are gone with the page. Its address stays good."}
				</p>
			</form>
		</Menu>
	);
}
