FROM tidemark-stand-in-base
COPY postgres /opt/postgres
COPY pg_isready /usr/local/bin/
COPY postgres-entry.sh /opt/
RUN useradd --system --home-dir /var/lib/postgresql postgres && mkdir -p /var/lib/postgresql
ENTRYPOINT ["/bin/bash", "/opt/postgres-entry.sh"]
EXPOSE 5432
# As the official image: the fast shutdown, which doesn't wait for clients.
STOPSIGNAL SIGINT
