# The same commands that `make run` runs.
FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home digitpad
USER digitpad
WORKDIR /home/digitpad/digitpad
COPY --chown=digitpad Makefile pyproject.toml requirements.lock ./
RUN make install
COPY --chown=digitpad . .
ENV DIGITPAD_HOST=0.0.0.0
EXPOSE 8000
CMD ["make", "run"]
