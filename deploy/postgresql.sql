-- As the superuser of PostgreSQL: psql -v password="'...'" -f deploy/postgresql.sql
CREATE ROLE fournaise LOGIN PASSWORD :password;
CREATE DATABASE fournaise OWNER fournaise ENCODING 'UTF8' TEMPLATE template0;
