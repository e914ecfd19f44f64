/* SPDX-License-Identifier: Apache-2.0 */
/* scratch version */
#include "detect/forest.h"
#include "detect/rank.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "detect/forest_internal.h"
#include "detect/forest_math.h"
extern double gate_share;
static double now(void){struct timespec t;clock_gettime(CLOCK_MONOTONIC,&t);return (double)t.tv_sec+(double)t.tv_nsec*1e-9;}
static void *slurp(const char*p,size_t*n){FILE*f=fopen(p,"rb");if(!f){perror(p);exit(1);}fseek(f,0,SEEK_END);*n=(size_t)ftell(f);rewind(f);void*b=malloc(*n+1);if(fread(b,1,*n,f)!=*n)exit(1);fclose(f);return b;}
static int quality(int argc,char**argv){struct tt_forest_options o=tt_forest_options_default();unsigned seeds=3;int per=1;
 for(int i=2;i<argc;i++){ char*v=strchr(argv[i],'=');if(!v)break;*v++=0;if(!strcmp(argv[i],"depth"))o.max_depth=(unsigned)atoi(v);if(!strcmp(argv[i],"gates"))o.gates=atoi(v);if(!strcmp(argv[i],"share"))gate_share=atof(v);if(!strcmp(argv[i],"exact"))o.exact=atoi(v);if(!strcmp(argv[i],"metric"))o.metric=(enum tt_forest_metric)atoi(v);if(!strcmp(argv[i],"seeds"))seeds=(unsigned)atoi(v);if(!strcmp(argv[i],"sample"))o.sample=(unsigned)atoi(v);if(!strcmp(argv[i],"trees"))o.trees=(unsigned)atoi(v);if(!strcmp(argv[i],"per"))per=atoi(v);}
 double A=0,P=0,BA=0,BP=0;int k=0;FILE*f=fopen("/tmp/sk/list","r");char name[200];unsigned cols;double ba,bp;
 while(fscanf(f,"%199s %u %lf %lf",name,&cols,&ba,&bp)==4){char path[300];snprintf(path,300,"/tmp/sk/%s.x",name);size_t n,m;float*x=slurp(path,&n);snprintf(path,300,"/tmp/sk/%s.y",name);uint8_t*y=slurp(path,&m);struct tt_rows rows={x,m,cols,cols};double a=0,p=0;
  for(unsigned s=0;s<seeds;s++){struct tt_forest*fo;struct tt_error e;if(tt_forest_train(&o,&rows,NULL,s,0,&fo,&e)!=TT_OK){puts(e.message);return 1;}
   float*sc=malloc(m*4);void*scr=malloc(tt_forest_scratch_size(fo));tt_forest_score(fo,&rows,sc,scr);struct tt_ranking r;if(tt_ranking_make(sc,y,m,&r,&e))return 1;a+=tt_rank_roc_auc(&r)/seeds;p+=tt_rank_average_precision(&r)/seeds;tt_ranking_done(&r);free(sc);free(scr);tt_forest_unref(fo);}
  if(per)printf("%-20s %.4f %+.4f   %.4f %+.4f\n",name,a,a-ba,p,p-bp);A+=a;P+=p;BA+=ba;BP+=bp;k++;free(x);free(y);}
 printf("mean AUC %.4f %+.4f  AP %.4f %+.4f\n",A/k,(A-BA)/k,P/k,(P-BP)/k);return 0;}
static int speed(int argc,char**argv){unsigned cols=argc>2?(unsigned)atoi(argv[2]):16;size_t n=1024*16;float*x=malloc(n*cols*4);struct tt_random r={7};for(size_t i=0;i<n*cols;i++){double s=0;for(int k=0;k<6;k++)s+=tt_random_unit(&r);x[i]=(float)(s-3);}
 struct tt_rows rows={x,n,cols,cols};struct tt_forest_options o=tt_forest_options_default();struct tt_forest*f;struct tt_error e;struct tt_bins b;double best=9;
 for(int i=0;i<5;i++){double t=now();if(tt_bins_learn(&rows,&b,&e))return 1;t=now()-t;if(t<best)best=t;if(i<4)tt_bins_done(&b);}printf("bins %.2f ms\n",best*1e3);best=9;
 for(int i=0;i<20;i++){double t=now();if(tt_forest_train(&o,&rows,&b,1,0,&f,&e))return 1;t=now()-t;if(t<best)best=t;if(i<19)tt_forest_unref(f);}printf("train %.2f ms\n",best*1e3);
 uint8_t*blk=aligned_alloc(64,n*cols),*tile=malloc(64*cols);uint32_t*sums=malloc(n*4),*ref=malloc(n*4);float*sc=malloc(n*4);void*scr=malloc(tt_forest_scratch_size(f));
 best=9;for(int i=0;i<9;i++){double t=now();for(size_t q=0;q<n;q+=64)tt_bins_encode_avx512(&b,x+q*cols,64,cols,tile,blk+q*cols);t=now()-t;if(t<best)best=t;}printf("encode512 %.2f ns/row\n",best*1e9/(double)n);
 best=9;for(int i=0;i<9;i++){double t=now();for(size_t q=0;q<n;q+=64)tt_bins_encode_block(&b,x+q*cols,64,cols,tile,blk+q*cols);t=now()-t;if(t<best)best=t;}printf("encode %.2f ns/row\n",best*1e9/(double)n);
 tt_forest_kernel*k[3]={tt_forest_sum_portable,tt_forest_sum_avx2,tt_forest_sum_avx512};for(int j=0;j<3;j++){best=9;for(int i=0;i<9;i++){double t=now();for(size_t q=0;q<n;q+=1024)k[j](&f->tables,blk+q*cols,16,sums+q);t=now()-t;if(t<best)best=t;}if(j==0)memcpy(ref,sums,n*4);printf("kernel %d %.1f ns/row equal %d\n",j,best*1e9/(double)n,!memcmp(ref,sums,n*4));}
 best=9;for(int i=0;i<9;i++){double t=now();tt_forest_score(f,&rows,sc,scr);t=now()-t;if(t<best)best=t;}printf("score %.1f ns/row\n",best*1e9/(double)n);
 best=9;for(int i=0;i<9;i++){double t=now();for(size_t q=0;q<n;q++){struct tt_rows one={x+q*cols,1,cols,cols};tt_forest_score(f,&one,sc+q,scr);}t=now()-t;if(t<best)best=t;}printf("single %.1f ns/row\n",best*1e9/(double)n);return 0;}
int main(int c,char**v){if(c>1&&!strcmp(v[1],"speed"))return speed(c,v);return quality(c,v);}
