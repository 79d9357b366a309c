/** The navigation: a column at the left, or tabs at the bottom of a narrow page. */
import { useSignal } from "@preact/signals";
import { useData } from "../api/cache";
import type { FailureGroups } from "../api/types";
import { brief } from "../logic/lengths";
import { Dialog } from "../parts/dialog";
import { Icon } from "../parts/icons";
import { href, path } from "../place";
import { PLACES, type Screen } from "../screens";
import { me } from "../session";
import { Settings } from "./settings";

interface NavigationProps {
	search: () => void;
	help: () => void;
}

/** The navigation. */
export function Navigation({ search, help }: NavigationProps) {
	const open = useSignal(false);
	return (
		<>
			<nav class="column" aria-label="Screens">
				<Name />
				<button type="button" class="find" onClick={search}>
					<Icon name="search" />
					<span>Search</span>
					<kbd>{/Mac|iP/.test(navigator.platform) ? "⌘K" : "Ctrl K"}</kbd>
				</button>
				<Places of={PLACES} />
				<Settings help={help} />
			</nav>
			<nav class="tabs" aria-label="Screens">
				<Places of={PLACES.filter((one) => one.tab)} />
				<button
					type="button"
					onClick={() => {
						open.value = true;
					}}
				>
					<Icon name="menu" size={20} />
					More
				</button>
			</nav>
			{open.value && (
				<Dialog
					title="More"
					kind="side"
					close={() => {
						open.value = false;
					}}
				>
					<div
						class="column"
						onClick={(event) => {
							if ((event.target as Element).closest("a, .find")) open.value = false;
						}}
					>
						<Name />
						<button type="button" class="find" onClick={search}>
							<Icon name="search" />
							<span>Search</span>
						</button>
						<Places of={PLACES} />
						<Settings help={help} />
					</div>
				</Dialog>
			)}
		</>
	);
}

function Name() {
	const who = me.value;
	return (
		<a class="name" href={href("")}>
			<svg class="rubric" viewBox="0 0 16 16" width="20" height="20" aria-hidden="true">
				<path d="M8 8a1 1 0 0 1 1 1 2.5 2.5 0 1 1-1-4 4 4 0 1 1-4 4 6 6 0 0 1 6-6h4" />
			</svg>
			<span class="service">{who?.service ?? "Rotulus"}</span>
			{who?.environment && <span class="environment">{who.environment}</span>}
		</a>
	);
}

function Places({ of }: { of: readonly Screen[] }) {
	const here = path.value.split("/")[0] ?? "";
	return (
		<ul class="places">
			{of.map((one) => (
				<li key={one.path}>
					<a href={href(one.path)} aria-current={one.path === here ? "page" : undefined}>
						<Icon name={one.icon ?? "jobs"} />
						<span>{one.title}</span>
						{one.path === "failures" && <Failing />}
					</a>
				</li>
			))}
		</ul>
	);
}

/** How many causes of failures there were in the last day. */
function Failing() {
	const path = "failures?since=86400&limit=100&muted=false";
	const found = useData<FailureGroups>(path, { topics: ["failures"] });
	const groups = found.data.value?.items.length ?? 0;
	if (!groups) return null;
	return (
		<span class="badge bad">
			{groups >= 100 ? "99+" : brief(groups)}
			<span class="unseen"> causes in the last day</span>
		</span>
	);
}
