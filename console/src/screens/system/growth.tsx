/** How the store grows: the jobs that were added each day, which the statistics remember. */
import { STATISTICS, useData } from "../../api/cache";
import type { Series } from "../../api/types";
import { count } from "../../logic/lengths";
import { Spark } from "../../parts/charts";
import { Fact } from "../../parts/fact";

const DAYS = 30;
const DAY = 86_400;

/** A bar for each of the last days, and their sum. */
export function Growth() {
	const path = `stats/series?metric=enqueued&since=${DAYS * DAY}&step=${DAY}`;
	const points = useData<Series>(path, STATISTICS).data.value?.items;
	if (!points) return null;
	const values = points.map((one) => one.value);
	const added = values.reduce((sum: number, one) => sum + (one ?? 0), 0);
	const label = `${count(added)} jobs added in ${DAYS} days`;
	return (
		<Fact name="Growth">
			<Spark values={values} label={label} width={120} />
			<span class="quiet">{label}</span>
		</Fact>
	);
}
