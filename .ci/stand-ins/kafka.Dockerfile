FROM tidemark-stand-in-base
COPY kafka /opt/kafka
COPY log4j2.yaml kafka-entry.sh /opt/
ENTRYPOINT ["/bin/bash", "/opt/kafka-entry.sh"]
EXPOSE 9092
