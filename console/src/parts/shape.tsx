/** What a workflow is made of: its levels, drawn as large as they are wide, and its version. */
import type { WorkflowShape } from "../api/types";
import { shapeOf, shapeWords } from "../logic/shape";

const STEP = 7;
const HIGH = 16;

/** The drawing, from the first level to the last, with the number of steps. */
export function Shape({ of: { steps, levels } }: { of: WorkflowShape }) {
	const highs = shapeOf(levels, HIGH);
	return (
		<span class="shape" title={`${shapeWords(steps, levels)}: ${levels.join(", ")}`}>
			<svg width={highs.length * STEP} height={HIGH} aria-hidden="true">
				{highs.map((high, at) => (
					<rect key={at} x={at * STEP} y={(HIGH - high) / 2} width="5" height={high} rx="1" />
				))}
			</svg>
			{shapeWords(steps, levels)}
		</span>
	);
}

/** The version of a workflow: the beginning, and all of it on hover. */
export function Version({ of: { version } }: { of: WorkflowShape }) {
	return (
		<code class="quiet" title={version}>
			{version.slice(0, 6)}
		</code>
	);
}
