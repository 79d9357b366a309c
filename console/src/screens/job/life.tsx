/** The life of a job, drawn: stations with times, and what lies between them. */
import type { WholeJob } from "../../api/types";
import { length } from "../../logic/lengths";
import { life } from "../../logic/life";
import { StateMark } from "../../parts/state";
import { now, When } from "../../parts/when";

/** The line of stations; at a narrow width it goes downward. */
export function Life({ job }: { job: WholeJob }) {
	const stations = life(job, now.value);
	return (
		<ol class="life" aria-label="The life of the job">
			{stations.map((one, at) => (
				<li
					key={one.label}
					class={`${one.ahead ? "ahead" : ""} ${one.here ? "here" : ""}`}
					aria-current={one.here ? "step" : undefined}
				>
					<span class="stop">
						{one.state && !one.ahead ? <StateMark state={one.state} /> : <span class="ring" />}
					</span>
					<span class="station">
						<strong>{one.label}</strong>
						{one.at && <When at={one.at} />}
					</span>
					{at < stations.length - 1 && (
						<span class="span">
							{one.seconds !== null && (
								<>
									{one.meanwhile} {length(one.seconds > 60 ? Math.floor(one.seconds) : one.seconds)}
								</>
							)}
						</span>
					)}
				</li>
			))}
		</ol>
	);
}
