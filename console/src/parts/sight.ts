/** Whether an element is in sight, or has been: what is not is not asked for. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/** Returns a reference for an element, and whether it has come near to what is in sight. */
export function useSeen<E extends Element>() {
	const element = useRef<E>(null);
	const seen = useSignal(false);
	useEffect(() => {
		if (!element.current || seen.value) return;
		const watching = new IntersectionObserver(
			(found) => {
				if (found.some((one) => one.isIntersecting)) seen.value = true;
			},
			{ rootMargin: "200px" },
		);
		watching.observe(element.current);
		return () => watching.disconnect();
	}, [seen.value, seen]);
	return { element, seen: seen.value };
}
