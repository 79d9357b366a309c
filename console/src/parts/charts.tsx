/** Small charts as SVG: sparklines, bars, gauges. */
import { count } from "../logic/lengths";

interface SparkProps {
	values: readonly (number | null)[];
	label: string;
	state?: string;
	width?: number;
	height?: number;
}

/** Bars without axes, as high as their line. */
export function Spark({ values, label, state = "plain", width = 96, height = 20 }: SparkProps) {
	const most = Math.max(1e-9, ...values.map((one) => one ?? 0));
	const step = width / Math.max(1, values.length);
	const bar = Math.max(1, step - (step > 3 ? 1 : 0));
	const path = values
		.map((one, at) => {
			if (!one) return "";
			const high = Math.max(1, (one / most) * (height - 1));
			return `M${(at * step).toFixed(1)} ${height}h${bar.toFixed(1)}v-${high.toFixed(1)}h-${bar.toFixed(1)}Z`;
		})
		.join("");
	return (
		<svg
			class={`spark s-${state}`}
			viewBox={`0 0 ${width} ${height}`}
			width={width}
			height={height}
			role="img"
			aria-label={label}
			preserveAspectRatio="none"
		>
			<path class="base" d={`M0 ${height - 0.5}H${width}`} />
			<path class="bars" d={path} />
		</svg>
	);
}

/** A share of a whole as a bar. */
export function Gauge({ part, whole, label }: { part: number; whole: number; label: string }) {
	const share = whole > 0 ? Math.min(1, part / whole) : 0;
	return (
		<svg class="gauge" viewBox="0 0 60 6" width="60" height="6" role="img" aria-label={label}>
			<rect class="track" width="60" height="6" rx="3" />
			{share > 0 && <rect class="share" width={Math.max(6, share * 60)} height="6" rx="3" />}
		</svg>
	);
}

/** A progress as a bar with its words. */
export function Progress(props: { done: number; total: number | null; note?: string | undefined }) {
	const { done, total, note } = props;
	const words = total ? `${Math.floor((done / total) * 100)} %` : count(done);
	return (
		<span class="progress" title={note || `${done}${total ? ` of ${total}` : ""}`}>
			{total ? <Gauge part={done} whole={total} label={words} /> : null}
			<span class="number">{words}</span>
		</span>
	);
}
