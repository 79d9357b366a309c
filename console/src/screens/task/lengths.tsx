/** How long the attempts of a task ran: a bar for each length, from the shortest to the longest. */
import type { Bucket } from "../../api/types";
import { between, shownOf } from "../../logic/buckets";
import { brief, count, length } from "../../logic/lengths";

const HIGH = 64;

/** The histogram. Lengths that no attempt had are left out at both ends. */
export function Lengths({ buckets }: { buckets: readonly Bucket[] }) {
	const shown = shownOf(buckets);
	if (!shown.length) return null;
	const most = Math.max(...shown.map((one) => one.count));
	return (
		<figure class="lengths">
			<figcaption class="caption">Ran for less than</figcaption>
			<ul>
				{shown.map((one) => (
					<li key={one.below} title={`${count(one.count)} ran ${between(one)}`}>
						<span class="number">{one.count > 0 && brief(one.count)}</span>
						<svg
							class="s-plain"
							viewBox={`0 0 8 ${HIGH}`}
							height={HIGH}
							preserveAspectRatio="none"
							aria-hidden="true"
						>
							<rect
								class="share"
								width="8"
								y={HIGH - (one.count && Math.max(1.5, (one.count / most) * HIGH))}
								height={HIGH}
							/>
						</svg>
						<span class="quiet">{one.below === null ? "longer" : length(one.below)}</span>
					</li>
				))}
			</ul>
		</figure>
	);
}
