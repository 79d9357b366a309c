TaskRoute(send_welcome_email)

TaskRoute(
    generate_report,
    ack_deadline=600,
    min_retry_delay=30,
    max_retry_delay=600,
)

TaskRoute(cleanup_old_data, schedule="0 3 * * *")

TaskRoute(
    send_daily_report,
    schedule="0 9 * * *",
    schedule_timezone="Europe/London"
)
