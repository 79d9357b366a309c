/** How a resource stands at Google: a shape with its word, told apart without colour. */
import type { Standing } from "../../logic/push";

interface Look {
	word: string;
	/** The state whose colour it has. */
	colour: string;
	hollow?: string;
	full?: string;
	sign?: string;
	dashed?: boolean;
}

const DIAMOND = "M8 1.8 14.2 8 8 14.2 1.8 8Z";
const CIRCLE = "M8 1.5a6.5 6.5 0 1 0 .01 0Z";
const RING = "M8 2.2a5.8 5.8 0 1 0 .01 0Z";
const SQUARE = "M2.5 2.5h11v11h-11Z";

const LOOKS: Record<Standing, Look> = {
	wanted: { word: "planned", colour: "queued", hollow: RING },
	there: { word: "as planned", colour: "succeeded", full: CIRCLE, sign: "M5 8.3l2.1 2.1L11 6" },
	missing: { word: "missing", colour: "failed", hollow: SQUARE, dashed: true },
	differs: { word: "differs", colour: "delayed", hollow: `${DIAMOND}M8 5.4v5.2` },
	replaced: { word: "is replaced", colour: "delayed", hollow: `${DIAMOND}M5.8 8h4.4` },
	needless: { word: "not wanted", colour: "cancelled", full: CIRCLE, sign: "M5.2 8h5.6" },
	unknown: { word: "not looked at", colour: "blocked", hollow: `${RING}M8 5v3.6M8 11v.1` },
};

/** The mark and the word. */
export function StandingWord({ stands }: { stands: Standing }) {
	const { word, colour, hollow, full, sign, dashed } = LOOKS[stands];
	return (
		<span class={`state s-${colour}`}>
			<svg class={`mark s-${colour}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
				{full && <path class="full" d={full} />}
				{sign && <path class="sign" d={sign} />}
				{hollow && (
					<path class="hollow" d={hollow} {...(dashed && { "stroke-dasharray": "2.8 2.2" })} />
				)}
			</svg>
			<span>{word}</span>
		</span>
	);
}
