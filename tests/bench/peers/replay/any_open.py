"""The rule of AnyOpen.java, by a library of Python: `any_open.py json|orjson|duckdb|polars FILE`."""

import sys


def by_lines(loads, path):
    kinds = {"connect": 1}
    clients = {}
    with open(path, "rb") as lines:
        for line in lines:
            notice = loads(line)
            channels = clients.setdefault(notice["clientId"], {})
            channel = notice["channelId"]
            channels[channel] = channels.get(channel, 0) | kinds.get(notice["eventType"], 2)
    return [client for client, channels in clients.items() if 1 in channels.values()]


def by_duckdb(path):
    import duckdb

    rows = duckdb.sql(
        f"""
        SELECT DISTINCT clientId FROM (
            SELECT clientId, channelId FROM read_json('{path}', format = 'newline_delimited',
                columns = {{clientId: 'VARCHAR', channelId: 'VARCHAR', eventType: 'VARCHAR'}})
            GROUP BY ALL HAVING bool_and(eventType = 'connect'))
        """
    ).fetchall()
    return [client for (client,) in rows]


def by_polars(path):
    import polars as pl

    schema = {"clientId": pl.String, "channelId": pl.String, "eventType": pl.String}
    is_open = (pl.col("eventType") == "connect").all()
    channels = pl.scan_ndjson(path, schema=schema).group_by("clientId", "channelId").agg(is_open)
    return channels.filter("eventType").select("clientId").unique().collect()["clientId"].to_list()


def main():
    library, path = sys.argv[1:]
    if library == "duckdb":
        online = by_duckdb(path)
    elif library == "polars":
        online = by_polars(path)
    else:
        online = by_lines(__import__(library).loads, path)
    sys.stdout.writelines(client + "\n" for client in online)


main()
