/** The mark of a state: a shape and a colour, with its word. */
import type { State } from "../logic/states";

const CIRCLE = "M8 1.5a6.5 6.5 0 1 0 .01 0Z";

/** Hollow: it waits. Open: it runs. Full: it has ended. */
function shape(state: State) {
	switch (state) {
		case "blocked":
			return (
				<rect
					class="hollow"
					x="2.5"
					y="2.5"
					width="11"
					height="11"
					rx="2"
					stroke-dasharray="2.8 2.2"
				/>
			);
		case "delayed":
			return <path class="hollow" d="M8 2.2a5.8 5.8 0 1 0 .01 0ZM8 4.8V8l2.4 1.6" />;
		case "queued":
			return <path class="hollow" d="M8 2.2a5.8 5.8 0 1 0 .01 0Z" />;
		case "running":
			return (
				<g class="turning">
					<path class="track" d="M8 2.2a5.8 5.8 0 1 0 .01 0Z" />
					<path class="hollow" d="M8 2.2A5.8 5.8 0 1 1 2.2 8" />
				</g>
			);
		case "succeeded":
			return full(CIRCLE, "M5 8.3l2.1 2.1L11 6");
		case "failed":
			return full(CIRCLE, "M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6");
		case "dead":
			return full("M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3Z", "M8 4.6v4M8 11.2v.1");
		case "cancelled":
			return full(CIRCLE, "M5.2 8h5.6");
		case "skipped":
			return <path class="hollow" d="M3 4l4 4-4 4M8.5 4l4 4-4 4" />;
	}
}

function full(body: string, sign: string) {
	return (
		<>
			<path class="full" d={body} />
			<path class="sign" d={sign} />
		</>
	);
}

/** The mark alone, where its word stands beside it or in its label. */
export function StateMark({ state, label = false }: { state: State; label?: boolean }) {
	return (
		<svg
			class={`mark s-${state}`}
			viewBox="0 0 16 16"
			width="14"
			height="14"
			{...(label ? { role: "img", "aria-label": state } : { "aria-hidden": "true" })}
		>
			{shape(state)}
		</svg>
	);
}

/** The mark with the word, and more of it: `queued, cancelling`. */
export function StateWord({ state, more = "" }: { state: State; more?: string }) {
	return (
		<span class={`state s-${state}`}>
			<StateMark state={state} />
			<span>
				{state}
				{more && <span class="quiet"> {more}</span>}
			</span>
		</span>
	);
}
