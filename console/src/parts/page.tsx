/** A screen: its title, its actions, and what is said where there is nothing, or no answer. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Entry } from "../api/cache";
import type { Problem } from "../api/problem";
import { href } from "../place";
import { me, unknown } from "../session";
import { Icon } from "./icons";

interface PageProps {
	title: string;
	/** What stands beside the title, such as a count. */
	beside?: ComponentChildren;
	/** Where the screen belongs: a link in front of the title. */
	parent?: { title: string; to: string };
	actions?: ComponentChildren;
	children: ComponentChildren;
	/** The content takes all of the height, and scrolls by itself. */
	fills?: boolean;
}

/** A screen. It names the tab as well. */
export function Page({ title, beside, parent, actions, children, fills = false }: PageProps) {
	const service = me.value?.service ?? "Rotulus";
	useEffect(() => {
		document.title = `${title} · ${service}`;
	}, [title, service]);
	return (
		<div class={fills ? "page fills" : "page"}>
			<header class="page-head">
				<h1>
					{parent && (
						<>
							<a href={href(parent.to)}>{parent.title}</a>
							<span class="quiet" aria-hidden="true">
								<Icon name="right" size={12} />
							</span>
						</>
					)}
					<span class="title">{title}</span>
				</h1>
				<div class="beside">{beside}</div>
				<div class="actions">{actions}</div>
			</header>
			{children}
		</div>
	);
}

/** A part of a screen, with a heading. */
export function Section(props: {
	title: string;
	to?: string;
	beside?: ComponentChildren;
	children: ComponentChildren;
	class?: string;
}) {
	return (
		<section class={`card ${props.class ?? ""}`}>
			<header>
				<h2>{props.to ? <a href={props.to}>{props.title}</a> : props.title}</h2>
				{props.beside}
			</header>
			{props.children}
		</section>
	);
}

/** What is said where there is nothing. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
	return (
		<div class="empty">
			<p class="empty-title">{title}</p>
			{children}
		</div>
	);
}

/** What the server said in place of data. */
export function Refusal({ problem, retry }: { problem: Problem; retry?: () => void }) {
	return (
		<div class="refusal" role="alert">
			<Icon name="alarm" />
			<p>
				<strong>{problem.message}</strong>
				{problem.hint && <span class="quiet"> {problem.hint}</span>}
			</p>
			{retry && (
				<button type="button" onClick={retry}>
					Try again
				</button>
			)}
		</div>
	);
}

/**
 * Shows data as soon as it is there; a problem above it, and grey lines until then. Who looks is
 * known by then, too: no button comes in later.
 */
export function Loaded<T>(props: {
	of: Entry<T>;
	lines?: number;
	children: (data: T) => ComponentChildren;
}) {
	const { data, error } = props.of;
	return (
		<>
			{error.value && <Refusal problem={error.value} retry={() => void props.of.read()} />}
			{data.value === undefined || !(me.value || unknown.value)
				? !error.value && <Skeleton lines={props.lines ?? 5} />
				: props.children(data.value)}
		</>
	);
}

/** Grey lines, which appear after a moment only. */
export function Skeleton({ lines }: { lines: number }) {
	return (
		<div class="skeleton" aria-busy="true">
			<span class="unseen">Loading</span>
			{Array.from({ length: lines }, (_, at) => (
				<div key={at} />
			))}
		</div>
	);
}
