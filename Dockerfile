# The pages of xattn in a container: `docker compose up`, or
#   docker build -t xattn . && docker run --rm -p 8501:8501 xattn
# The kernels are compiled and the model is fitted once while the image is built, so a container is ready in seconds.

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY xattn xattn
COPY data data
RUN python -m venv /app/env \
 && /app/env/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[export]'

FROM python:3.12-slim
# libgomp1: Numba's thread-safe pool; the fonts: Chinese in charts that are saved as PNG
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 fonts-wqy-microhei fonts-dejavu-core \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /app \
 && useradd --create-home --home-dir /app/home --uid 10001 xattn
COPY --from=build /app/env /app/env
ENV PATH=/app/env/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/app/home/.cache/numba \
    OMP_NUM_THREADS=2 \
    OPENBLAS_NUM_THREADS=2
USER xattn
WORKDIR /app/home
RUN xattn doctor --warm
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s --retries=3 \
  CMD ["python", "-c", "import sys, urllib.request as r; sys.exit(r.urlopen('http://127.0.0.1:8501/readyz', timeout=2).status != 200)"]
STOPSIGNAL SIGINT
CMD ["xattn", "app", "--host", "0.0.0.0", "--port", "8501"]
